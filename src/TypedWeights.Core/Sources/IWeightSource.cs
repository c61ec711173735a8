namespace TypedWeights.Sources;

/// <summary>One opened file: a length that no longer changes, and bytes at any offset. Safe for use from many tasks at once.</summary>
public interface IWeightSource : IAsyncDisposable
{
    /// <summary>The file as it may be shown in a message.</summary>
    string Display { get; }

    /// <summary>The length in bytes.</summary>
    long Length { get; }

    /// <summary>The ETag with its quotes, or <c>last-modified:…</c>; null where the store has none.</summary>
    string? Validator { get; }

    /// <summary>
    /// The store's version of this file (<c>versionId</c>, generation), which every read is held to; null where the store has none, and
    /// before the first answer.
    /// </summary>
    string? Version => null;

    /// <summary>
    /// Whether the file can only be read once and in order, as from a server that ignores ranges: one reader at a time, and each range
    /// begins at or after the end of the one before.
    /// </summary>
    bool IsSequential => false;

    /// <summary>Starts reading a range.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes, at least 1, within <see cref="Length"/>.</param>
    /// <param name="cancellationToken">Ends the attempt; the reader's own calls take their own token.</param>
    /// <exception cref="WeightSourceException">The range cannot be had, or the file has changed since it was opened.</exception>
    ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken);
}
