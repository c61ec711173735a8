using Microsoft.Win32.SafeHandles;
using TypedWeights.Files;
using TypedWeights.Memory;

namespace TypedWeights.Sources.File;

/// <summary>
/// An opened file. Its length is that of the moment it was opened; one that turns out shorter is an error. A file that is replaced by
/// renaming another over it goes on being read as it was while it is open, and is an error where it had to be closed meanwhile
/// (<see cref="OpenFiles"/>); one that is written to while it is read is an error, as its time says.
/// </summary>
internal sealed class FileSource : IMappableSource, IDiskSource
{
    // One read call cannot be cancelled while it runs; this bounds how long it runs.
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
                ? new WeightSourceException(display, "this is a folder, where a file was expected.", innerException: e)
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
        return ValueTask.FromResult<IRangeReader>(new FileRangeReader(this, offset, length));
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
                // It outlives the open file.
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

    /// <summary>Reads at a position; at least one byte, or it throws.</summary>
    internal async ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
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
        // The handle is not an asynchronous one: this is pread on a thread of the pool, which is as fast as Linux gets from its page
        // cache.
        Memory<byte> next = destination[..Math.Min(destination.Length, LongestRead)];
        int read = await _reads.ReadAsync(handle, next, position, cancellationToken).ConfigureAwait(false);
        if (read == 0)
        {
            throw new WeightSourceException(
                Display, $"the file ended at byte {position} of the {Length} it had when it was opened: it was cut while it was read.");
        }

        // A write sets the time before it changes a byte, so bytes read under the old time are the old ones.
        return System.IO.File.GetLastWriteTimeUtc(handle) == _file.Identity.Modified
            ? read
            : throw new WeightSourceException(
                Display, "the file was written to while it was read; load it again when it is whole, and replace it by renaming.");
    }
}
