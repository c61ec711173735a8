using Microsoft.Win32.SafeHandles;
using TypedWeights.Files;
using TypedWeights.Memory;

namespace TypedWeights.Sources.File;

/// <summary>
/// An opened local file. Its length is fixed when it is opened. A file that is replaced by renaming another file over it is read as it was
/// while it stays open, and is an error if it had to be closed meanwhile (<see cref="OpenFiles"/>). A file that is cut or written to while it
/// is read is an error.
/// </summary>
internal sealed class FileSource : IMappableSource, IDiskSource
{
    // A read cannot be cancelled while it runs; this bounds how long it runs.
    private const int LongestRead = 16 << 20;

    private readonly ReopenableFile _file;
    private readonly DiskReads _reads = new();

    private FileSource(ReopenableFile file, string display)
    {
        _file = file;
        Display = display;
    }

    public string Display { get; }

    public long Length => _file.Identity.Length;

    public string? Validator => null;

    public bool WaitsForDisk => _reads.IsCold;

    public static FileSource Open(string path, string display)
    {
        try
        {
            return new FileSource(ReopenableFile.Open(path), display);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Directory.Exists(path)
                ? new WeightSourceException(display, "expected a file, found a folder.", innerException: e)
                : Absence.Of(path) is { } reason ? new WeightSourceException(display, reason + ".", innerException: e)
                : FileFailure.Of(e, display, path);
        }
    }

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(new Reader(this, offset));
    }

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    public NativeRegion Map()
    {
        try
        {
            SafeFileHandle handle = _file.Rent();
            try
            {
                // The mapping outlives the open file.
                return MappedRegion.Map(handle, Length);
            }
            finally
            {
                _file.Return();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightSourceException(
                Display, $"the file cannot be mapped ({e.Message.TrimEnd('.')}); load it with another TensorStorage than Mapped.", innerException: e);
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        try
        {
            SafeFileHandle handle = _file.Rent();
            try
            {
                return await ReadAsync(handle, destination, position, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _file.Return();
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WeightSourceException(Display, "the file was removed while it was read.", innerException: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileFailure.Of(e, Display);
        }
    }

    private async ValueTask<int> ReadAsync(
        SafeFileHandle handle, Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        // The handle is synchronous: this is pread on a thread of the pool, the fastest way to read the page cache of Linux.
        Memory<byte> next = destination[..Math.Min(destination.Length, LongestRead)];
        int read = await _reads.ReadAsync(handle, next, position, cancellationToken).ConfigureAwait(false);
        if (read == 0)
        {
            throw new WeightSourceException(
                Display, $"the file ended at byte {position} of the {Length} it had when it was opened: it was cut while it was read.");
        }

        // A write sets the time before it changes a byte, so bytes that were read before the time changed are the old ones.
        return System.IO.File.GetLastWriteTimeUtc(handle) == _file.Identity.Modified
            ? read
            : throw new WeightSourceException(
                Display, "the file was modified while it was read; load it again when it is completely written, and replace files by renaming.");
    }

    private sealed class Reader(FileSource source, long position) : IRangeReader
    {
        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int read = await source.ReadAsync(destination, position, cancellationToken).ConfigureAwait(false);
            position += read;
            return read;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
