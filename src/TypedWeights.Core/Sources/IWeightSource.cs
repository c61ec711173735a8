using TypedWeights.Memory;

namespace TypedWeights.Sources;

/// <summary>One opened file: a fixed length, and bytes at any offset. Safe for use from many tasks at once.</summary>
public interface IWeightSource : IAsyncDisposable
{
    /// <summary>The file as it may be shown in a message.</summary>
    string Display { get; }

    /// <summary>The length in bytes.</summary>
    long Length { get; }

    /// <summary>The ETag with its quotes, or <c>last-modified:…</c>; null if the store has neither.</summary>
    string? Validator { get; }

    /// <summary>
    /// The store's version of this file (<c>versionId</c>, generation), which every read must match; null if the store has none, and before
    /// the first response.
    /// </summary>
    string? Version => null;

    /// <summary>
    /// Whether the file can only be read once and in order, as from a server that ignores ranges: with one reader at a time, and each range
    /// at or after the end of the range before.
    /// </summary>
    bool IsSequential => false;

    /// <summary>Starts reading a range.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes, at least 1, within <see cref="Length"/>.</param>
    /// <param name="cancellationToken">Ends the attempt; the reader's own calls take their own token.</param>
    /// <exception cref="WeightSourceException">The range cannot be read, or the file has changed since it was opened.</exception>
    ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken);
}

/// <summary>A local file whose reads may have to wait for a disk.</summary>
internal interface IDiskSource : IWeightSource
{
    /// <summary>
    /// Whether the last large read waited for the disk, which is faster when it has several requests. While the page cache has the bytes,
    /// more readers than cores are slower.
    /// </summary>
    bool WaitsForDisk { get; }
}

/// <summary>A local file whose bytes can become memory of this process without being read first.</summary>
internal interface IMappableSource : IWeightSource
{
    /// <summary>Maps the whole file, from its first byte. The mapping outlives the source.</summary>
    /// <exception cref="WeightSourceException">The file system or the address space does not allow it.</exception>
    NativeRegion Map();
}

/// <summary>A file that a server sent. Its content may repeat parts of the request.</summary>
internal interface IRequestedSource
{
    /// <summary>The request of the last response; null before the first one.</summary>
    HttpRequestMessage? LastRequest { get; }
}
