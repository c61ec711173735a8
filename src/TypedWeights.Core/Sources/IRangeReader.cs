using System.Runtime.CompilerServices;

namespace TypedWeights.Sources;

/// <summary>The bytes of one range, in order. Used by one task at a time.</summary>
public interface IRangeReader : IAsyncDisposable
{
    /// <summary>Reads the next bytes of the range.</summary>
    /// <param name="destination">Where they go; at least one byte long and no longer than what is left of the range.</param>
    /// <param name="cancellationToken">
    /// Ends the read. When the task has completed, with or without an error, nothing writes to the memory any more.
    /// </param>
    /// <returns>How many bytes were read: at least one.</returns>
    /// <exception cref="WeightSourceException">The source failed or ended before the range did.</exception>
    ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Fills memory with the next bytes of the range. The library calls this method.</summary>
    /// <param name="destination">Where they go; at least one byte long and no longer than what is left of the range.</param>
    /// <param name="arrived">
    /// Called with the number of bytes each time that bytes have been written to the destination, in order, before the task completes, even
    /// if the task then fails: those bytes are not requested again. 0 reports that bytes before the range are being read and dropped.
    /// </param>
    /// <param name="cancellationToken">As for <see cref="ReadAsync"/>.</param>
    /// <exception cref="WeightSourceException">The source failed or ended before the range did.</exception>
    /// <remarks>A loop over <see cref="ReadAsync"/>, unless the reader overrides it.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask FillAsync(Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
    {
        while (destination.Length > 0)
        {
            int read = await ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            arrived(read);
            destination = destination[read..];
        }
    }
}

/// <summary>Reads a range that is already in memory.</summary>
internal sealed class MemoryReader(ReadOnlyMemory<byte> bytes) : IRangeReader
{
    private int _read;

    public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int count = Math.Min(destination.Length, bytes.Length - _read);
        bytes.Span.Slice(_read, count).CopyTo(destination.Span);
        _read += count;
        return ValueTask.FromResult(count);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
