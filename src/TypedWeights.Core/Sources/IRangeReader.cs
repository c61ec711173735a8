namespace TypedWeights.Sources;

/// <summary>The bytes of one range, in order. Used by one task at a time.</summary>
public interface IRangeReader : IAsyncDisposable
{
    /// <summary>Reads the next bytes of the range.</summary>
    /// <param name="destination">Where they go; at least one byte long and no longer than what is left of the range.</param>
    /// <param name="cancellationToken">
    /// Ends the read. When the task has completed, however it did, nothing writes to the memory any more.
    /// </param>
    /// <returns>How many bytes came: at least one.</returns>
    /// <exception cref="WeightSourceException">The source failed or ended before the range did.</exception>
    ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken);
}
