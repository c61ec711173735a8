using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// A copy of which something is missing, for loads that fetch nothing: any number of processes may read it side by side, also in a folder
/// that is read-only, and nobody writes or removes it meanwhile.
/// </summary>
internal sealed class ReadCopy : ICacheCopy, IDisposable
{
    private readonly LockedFile _file;

    private ReadCopy(LockedFile file, PartMap parts)
    {
        _file = file;
        Parts = parts;
    }

    public PartMap Parts { get; }

    /// <summary>Opens a partial copy.</summary>
    /// <param name="target">The path that it would have if it were whole.</param>
    /// <param name="expected">The version that it is a copy of.</param>
    /// <returns>null where there is none.</returns>
    /// <exception cref="IOException">It cannot be read, or somebody is writing it.</exception>
    public static ReadCopy? TryOpen(string target, SourceIdentity expected)
    {
        if (!File.Exists(target + PartialFile.Suffix))
        {
            return null;
        }

        LockedFile file = OwnFile.Open(target + PartialFile.Suffix, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> noted) = PartJournal.Read(target + PartialFile.JournalSuffix);
            var parts = PartMap.OfNotes(noted);
            if (identity == expected && RandomAccess.GetLength(file.Handle) == identity.Length)
            {
                CacheFolder.Touch(target + PartialFile.JournalSuffix);
                return new ReadCopy(file, parts);
            }

            file.Dispose();
            return null;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(_file.Handle, destination, position, cancellationToken);

    public ValueTask MendAsync(FinishedPart part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        throw new IOException("Who only reads a copy mends nothing.");

    public void Dispose() => _file.Dispose();
}
