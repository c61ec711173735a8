using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>Holds an item of a cache against its journal.</summary>
internal static class CacheAudit
{
    /// <summary>Reads all of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="read">Is told of bytes as they are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>
    /// How many bytes are not what they should be, those of a whole file included that no part tells of; null where somebody is writing it,
    /// or has removed it.
    /// </returns>
    /// <exception cref="WeightsException">It cannot be read.</exception>
    public static async ValueTask<long?> DamageOfAsync(CachedItem item, Action<long> read, CancellationToken cancellationToken)
    {
        try
        {
            using LockedFile file = OwnFile.Open(item.DataPath, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> parts) = PartJournal.Read(item.JournalPath);
            if (identity is null)
            {
                return item.Bytes;
            }

            var map = PartMap.OfNotes(parts);
            long noted = map.Total;
            await PartCheck.RunAsync(
                (memory, at, token) => RandomAccess.ReadAsync(file.Handle, memory, at, token), map, read, cancellationToken).ConfigureAwait(false);
            return (item.IsWhole ? identity.Length : noted) - map.Total;
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            return null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            string reason = Denial.OfRead(item.DataPath) ?? Denial.OfRead(item.JournalPath, item.JournalPath)
                ?? $"it cannot be read: {e.Message.TrimEnd('.')}";
            throw new WeightsException($"{item.DataPath}: {reason}.", e);
        }
    }
}
