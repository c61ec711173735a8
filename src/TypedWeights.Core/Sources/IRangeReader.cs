using System.Runtime.CompilerServices;

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

    /// <summary>Fills memory with the next bytes of the range: what the engine calls.</summary>
    /// <param name="destination">Where they go; at least one byte long and no longer than what is left of the range.</param>
    /// <param name="arrived">
    /// Is told of every run of bytes that has landed, in order, before the task completes, also where the task then fails: what has been
    /// told is not asked for again. 0 is a sign of life: of bytes that are read on the way to the range and that nobody wants.
    /// </param>
    /// <param name="cancellationToken">As for <see cref="ReadAsync"/>.</param>
    /// <exception cref="WeightSourceException">The source failed or ended before the range did.</exception>
    /// <remarks>A loop over <see cref="ReadAsync"/>; a reader that has a better one brings its own.</remarks>
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
