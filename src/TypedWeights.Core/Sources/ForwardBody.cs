using System.Runtime.CompilerServices;

namespace TypedWeights.Sources;

/// <summary>The bytes of a file in order: the body of a response, or a stream that cannot seek.</summary>
/// <param name="stream">The bytes.</param>
/// <param name="length">The number of bytes that must arrive; null when only the end of the stream shows it.</param>
internal abstract class ForwardBody(Stream stream, long? length) : IAsyncDisposable
{
    /// <summary>How many bytes have arrived.</summary>
    public long Received { get; private set; }

    /// <summary>How many bytes are still to arrive, when that is known.</summary>
    public long? Left => Length - Received;

    /// <summary>How many bytes must arrive, when that is known.</summary>
    protected long? Length { get; private set; } = length;

    /// <summary>Reads the next bytes.</summary>
    /// <param name="destination">No longer than the bytes that are left.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>How many bytes arrived: at least one, and 0 only at the end of a body whose length was not known.</returns>
    /// <exception cref="WeightSourceException">The body ended early or broke, or continues after its last byte.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            int read = await stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            if (read == 0 && Length is not null)
            {
                throw TooShort();
            }

            Received += read;
            if (Received == Length && !EndsByItself && await stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) > 0)
            {
                throw TooLong();
            }

            return read;
        }
        catch (Exception e) when (Explain(e, cancellationToken) is { } error)
        {
            throw error;
        }
    }

    /// <summary>Fills the destination.</summary>
    /// <returns>How many bytes arrived: fewer only at the end of a body whose length was not known.</returns>
    /// <exception cref="WeightSourceException">As for <see cref="ReadAsync"/>.</exception>
    public async ValueTask<int> FillAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int filled = 0, read = 1;
        for (; filled < destination.Length && read > 0; filled += read)
        {
            read = await ReadAsync(destination[filled..], cancellationToken).ConfigureAwait(false);
        }

        return filled;
    }

    /// <summary>Sets a length that was not known before.</summary>
    /// <exception cref="WeightSourceException">The body continues after its last byte.</exception>
    public async ValueTask ExpectAsync(long length, CancellationToken cancellationToken)
    {
        bool continues = Received > length
            || (Received == length && await ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) > 0);
        Length = length;
        if (continues)
        {
            throw TooLong();
        }
    }

    /// <summary>Closes the stream, if it belongs to the library.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Whether the stream ends after the length, so that no byte can follow.</summary>
    protected virtual bool EndsByItself => false;

    protected abstract WeightSourceException TooShort();

    protected abstract WeightSourceException TooLong();

    /// <returns>The error for an exception of the stream; null for an exception that is passed on.</returns>
    protected abstract WeightSourceException? Explain(Exception e, CancellationToken cancellationToken);
}
