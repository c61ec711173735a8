using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>One version of one file, as the folder of a cache has it.</summary>
/// <param name="Path">The copy, in full.</param>
/// <param name="Identity">The source of the file; null if the journal does not state it.</param>
/// <param name="Bytes">The number of bytes that are in the cache.</param>
/// <param name="LastUse">When it was last used or written.</param>
/// <param name="Unread">Why its journal could not be read, as a sentence without its full stop; null if it could.</param>
internal sealed record CachedItem(string Path, SourceIdentity? Identity, long Bytes, DateTime LastUse, string? Unread)
{
    /// <summary>Whether no byte is missing.</summary>
    public bool IsWhole => Bytes == Identity?.Length;

    /// <summary>The journal of its parts and their hashes.</summary>
    public string JournalPath => PartialFile.JournalOf(Path);

    /// <summary>Reads what is at a path.</summary>
    /// <param name="path">The copy, in full.</param>
    /// <param name="cancellationToken">Ends the reading of its journal.</param>
    /// <returns>null if there is nothing.</returns>
    public static CachedItem? At(string path, CancellationToken cancellationToken)
    {
        var data = new FileInfo(path);
        if (!data.Exists)
        {
            return null;
        }

        string journalPath = PartialFile.JournalOf(path);
        PartNotes notes = PartNotes.None;
        string? unread = null;
        try
        {
            notes = PartJournal.Read(journalPath, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            // Another user's, perhaps. The size on the disk is known all the same.
            unread = Denial.OfRead(journalPath, journalPath) ?? $"{journalPath} cannot be read: {e.Message.TrimEnd('.')}";
        }

        // The file has its whole length from the start and takes disk space as parts come. A journal may list more than there is.
        long bytes = notes.Identity is null ? data.Length : Math.Min(data.Length, PartMap.OfNotes(notes.Parts).Total);
        var journal = new FileInfo(journalPath);
        return new CachedItem(path, notes.Identity, bytes, journal.Exists ? journal.LastWriteTimeUtc : data.LastWriteTimeUtc, unread);
    }

    /// <summary>Reads all of the copy and compares it with its journal.</summary>
    /// <param name="read">Is called with the number of bytes of each read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The number of damaged bytes; null if a process is writing the copy or has removed it.</returns>
    /// <exception cref="WeightsException">It cannot be read.</exception>
    public async ValueTask<long?> CountDamagedAsync(Action<long> read, CancellationToken cancellationToken)
    {
        try
        {
            using LockedFile file = OwnFile.Open(Path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            PartNotes notes = PartJournal.Read(JournalPath, cancellationToken);
            if (notes.Identity is null)
            {
                return Bytes;
            }

            var noted = PartMap.OfNotes(notes.Parts);
            PartMap sound = await PartCheck.SoundOfAsync(
                (memory, at, token) => RandomAccess.ReadAsync(file.Handle, memory, at, token), noted, read, cancellationToken).ConfigureAwait(false);
            return noted.Total - sound.Total;
        }
        catch (IOException e) when (e is FileNotFoundException || DiskFailure.IsLocked(e))
        {
            return null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            string reason = Denial.OfRead(Path) ?? Denial.OfRead(JournalPath, JournalPath) ?? $"it cannot be read: {e.Message.TrimEnd('.')}";
            throw new WeightsException($"{Path}: {reason}.", e);
        }
    }
}
