using System.Runtime.CompilerServices;

namespace TypedWeights.Sources.Http;

/// <summary>The body of one answer. The bytes go from the socket straight to where they are wanted.</summary>
internal sealed class HttpBody : IAsyncDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly Stream _stream;
    private readonly string _display;
    private readonly bool _isAnnounced;
    private long? _length;

    /// <param name="answer">The answer, whose head has been checked; disposed with this.</param>
    /// <param name="length">The bytes that must come; null where only the end of the body tells.</param>
    /// <param name="display">The file as it may be shown.</param>
    public HttpBody(HttpResponseMessage answer, long? length, string display)
    {
        _answer = answer;
        _stream = answer.Content.ReadAsStream();
        _isAnnounced = ResponseCheck.LengthOf(answer, display) is not null;
        _length = length;
        _display = display;
    }

    /// <summary>How many bytes have come.</summary>
    public long Received { get; private set; }

    /// <summary>How many are still to come, where that is known.</summary>
    public long? Left => _length - Received;

    /// <summary>Reads the next bytes.</summary>
    /// <param name="destination">No longer than what is left.</param>
    /// <param name="cancellationToken">Ends the read and the connection.</param>
    /// <returns>How many came: at least one, and 0 only where a body whose length was not known has ended.</returns>
    /// <exception cref="WeightSourceException">The body ended or broke, or goes on after its last byte.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            int read = await _stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            if (read == 0 && _length is not null)
            {
                throw new WeightSourceException(_display, $"the answer ended after {Progress}.") { IsTransient = true };
            }

            Received += read;
            if (Received == _length && !_isAnnounced)
            {
                await ThrowUnlessEndedAsync(cancellationToken).ConfigureAwait(false);
            }

            return read;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            throw TransportFailure.Broken(e, Progress, _display, _answer.RequestMessage);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw TransportFailure.TimedOut(e, _display);
        }
    }

    /// <summary>Reads as many bytes as there is room for.</summary>
    /// <param name="destination">No longer than what is left.</param>
    /// <param name="cancellationToken">Ends the read and the connection.</param>
    /// <returns>How many came: fewer only where a body whose length was not known has ended.</returns>
    /// <exception cref="WeightSourceException">The body ended or broke, or goes on after its last byte.</exception>
    public async ValueTask<int> FillAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int filled = 0;
        while (filled < destination.Length)
        {
            int read = await ReadAsync(destination[filled..], cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    /// <summary>Tells how long a body is of which no header said it: what has come of it did.</summary>
    /// <exception cref="WeightSourceException">It goes on after its last byte.</exception>
    public async ValueTask ExpectAsync(long length, CancellationToken cancellationToken)
    {
        bool hasMore = Received > length
            || (Received == length && await ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) > 0);
        _length = length;
        if (hasMore)
        {
            throw TooLong();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _answer.Dispose();
    }

    // With a Content-Length the connection ends the body by itself, and what comes later belongs to no answer.
    private async ValueTask ThrowUnlessEndedAsync(CancellationToken cancellationToken)
    {
        if (await _stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) > 0)
        {
            throw TooLong();
        }
    }

    private string Progress => _length is null ? $"{Received} bytes" : $"{Received} of {_length} bytes";

    private WeightSourceException TooLong() => new(_display, $"the server sent more than the {_length} bytes that it should have sent.");
}
