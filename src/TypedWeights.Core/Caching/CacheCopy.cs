using Microsoft.Win32.SafeHandles;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Memory;

namespace TypedWeights.Caching;

/// <summary>
/// The copy of one version of a file: its bytes in a file of the version's length, and a journal of the parts that are there. It is open
/// to be read beside other processes that read it, or to be written by the loads of this process alone. Nobody removes it while it is open.
/// </summary>
internal sealed class CacheCopy : IAsyncDisposable
{
    private readonly ReopenableFile? _read;
    private readonly PartialFile? _written;
    private readonly SemaphoreSlim _writing = new(1, 1);

    private CacheCopy(string path, SourceIdentity identity, PartMap parts, ReopenableFile? read, PartialFile? written)
    {
        (Path, Identity, Parts) = (path, identity, parts);
        (_read, _written) = (read, written);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Which version of the file it is.</summary>
    public SourceIdentity Identity { get; }

    /// <summary>The parts that are there. A load compares each with its hash when it first uses it.</summary>
    public PartMap Parts { get; }

    /// <summary>Whether no byte is missing.</summary>
    public bool IsWhole => Parts.Total == Identity.Length;

    /// <summary>Whether the copy is open only for reading.</summary>
    public bool IsReadOnly => _written is null;

    /// <summary>How many loads have it open for writing; counted by the cache.</summary>
    public int Users { get; set; }

    /// <summary>Opens a copy for reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">The version that it must be a copy of.</param>
    /// <param name="cancellationToken">Ends the reading of its journal.</param>
    /// <returns>null if there is no such copy. A truncated copy may lack bytes that its journal lists.</returns>
    /// <exception cref="IOException">It cannot be read, or another process is writing or removing it.</exception>
    public static CacheCopy? TryOpenToRead(string path, SourceIdentity expected, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var file = ReopenableFile.Open(path, isOurs: true);
        try
        {
            string journal = PartialFile.JournalOf(path);
            PartNotes noted = PartJournal.Read(journal, cancellationToken);
            if (noted.Identity == expected && file.Identity.Length == expected.Length)
            {
                CacheFolder.Touch(journal);
                return new CacheCopy(path, expected, PartMap.OfNotes(noted.Parts), file, written: null);
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

    /// <summary>Opens a copy for writing, and creates it if it does not exist.</summary>
    /// <exception cref="WeightsException">Another process has it, or it cannot be written.</exception>
    public static async ValueTask<CacheCopy> OpenToWriteAsync(
        string path, SourceIdentity identity, bool keepsOthersOut, CancellationToken cancellationToken)
    {
        PartialFile file = await PartialFile.OpenCopyAsync(path, identity, keepsOthersOut, cancellationToken).ConfigureAwait(false);
        return new CacheCopy(path, identity, file.Parts, read: null, file);
    }

    /// <summary>Reads bytes at a position.</summary>
    /// <returns>The number of bytes; 0 at the end of the file.</returns>
    public ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken) =>
        _written?.ReadAsync(destination, position, cancellationToken) ?? _read!.ReadAsync(destination, position, cancellationToken);

    /// <summary>Writes those bytes of a range that are missing. Safe for use from many loads at once.</summary>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="bytes">The bytes of the range.</param>
    /// <param name="takeRoom">Is called with the number of bytes before each write, and throws if they would exceed the limit of the cache.</param>
    /// <exception cref="WeightsException">They cannot be written.</exception>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, Action<long> takeRoom)
    {
        // Another load of this process may receive the same bytes.
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            foreach ((long at, long length) in Parts.Missing(offset, bytes.Length))
            {
                takeRoom(length);
                await _written!.WriteAsync(at, bytes.Slice((int)(at - offset), (int)length), CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Maps a whole copy that is open for reading; the mapping keeps it in use.</summary>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public NativeRegion Map()
    {
        SafeFileHandle handle = _read!.Rent();
        try
        {
            LockedFile lease = OwnFile.Open(Path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new LeasedRegion(MappedRegion.Map(handle, Identity.Length), lease);
        }
        finally
        {
            _read.Return();
        }
    }

    public ValueTask DisposeAsync()
    {
        _read?.Dispose();
        return _written?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
