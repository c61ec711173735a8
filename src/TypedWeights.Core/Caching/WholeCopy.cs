using Microsoft.Win32.SafeHandles;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Memory;

namespace TypedWeights.Caching;

/// <summary>
/// A copy with every byte. While it is open, that is a lock that many may share and that nobody who removes files gets past; of very many
/// copies, those that nobody is reading are closed.
/// </summary>
internal sealed class WholeCopy : ICacheCopy, IDisposable
{
    private readonly string _path;
    private readonly ReopenableFile _file;

    private WholeCopy(string path, ReopenableFile file, SourceIdentity identity, PartMap parts)
    {
        _path = path;
        _file = file;
        Identity = identity;
        Parts = parts;
    }

    /// <summary>Which version of the file it is.</summary>
    public SourceIdentity Identity { get; }

    public PartMap Parts { get; }

    /// <summary>Opens a copy.</summary>
    /// <param name="target">Its path.</param>
    /// <param name="expected">The version that it is a copy of.</param>
    /// <returns>
    /// null where there is none. One that was cut, or whose journal does not tell of all its bytes, has been made a partial one.
    /// </returns>
    /// <exception cref="IOException">It cannot be read, or somebody is removing it.</exception>
    public static WholeCopy? TryOpen(string target, SourceIdentity expected)
    {
        if (!File.Exists(target))
        {
            return null;
        }

        var file = ReopenableFile.Open(target, isOurs: true);
        try
        {
            string journal = PartialFile.JournalOf(target);
            (SourceIdentity? identity, IReadOnlyList<FinishedPart> noted) = PartJournal.Read(journal);
            var parts = PartMap.OfNotes(noted);
            if (identity == expected
                && parts.Total == identity.Length && file.Identity.Length == identity.Length)
            {
                CacheFolder.Touch(journal);
                return new WholeCopy(target, file, expected, parts);
            }

            file.Dispose();
            Reopen(target, identity == expected ? expected.Length : 0);
            return null;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public async ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        SafeFileHandle handle = _file.Rent();
        try
        {
            return await RandomAccess.ReadAsync(handle, destination, position, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _file.Return();
        }
    }

    // Everybody who mends writes the same bytes: the hash says which.
    public async ValueTask MendAsync(FinishedPart part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using LockedFile file = OwnFile.Open(_path, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        await RandomAccess.WriteAsync(file.Handle, bytes, part.Offset, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Maps the copy; the mapping keeps it in use.</summary>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public NativeRegion Map()
    {
        SafeFileHandle handle = _file.Rent();
        try
        {
            return new LeasedRegion(MappedRegion.Map(handle, Identity.Length), Lease(_path));
        }
        finally
        {
            _file.Return();
        }
    }

    /// <summary>It is not a copy of the file that its journal names: nobody shall use it again.</summary>
    public void Condemn()
    {
        try
        {
            File.Delete(PartialFile.JournalOf(_path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is found out again the next time.
        }
    }

    public void Dispose() => _file.Dispose();

    private static LockedFile Lease(string path) =>
        OwnFile.Open(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    // With the file locked, as somebody may have it mapped.
    private static void Reopen(string target, long length)
    {
        using LockedFile alone = OwnFile.Open(target, FileAccess.ReadWrite, FileShare.None);
        if (RandomAccess.GetLength(alone.Handle) < length)
        {
            RandomAccess.SetLength(alone.Handle, length);
        }

        if (OperatingSystem.IsWindows())
        {
            alone.Dispose();
        }

        PartialFile.Reopen(target);
    }
}
