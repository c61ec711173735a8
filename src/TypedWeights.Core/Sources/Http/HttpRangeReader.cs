namespace TypedWeights.Sources.Http;

/// <summary>The body of one answer, held to the length it promised.</summary>
internal sealed class HttpRangeReader : IRangeReader
{
    private readonly HttpResponseMessage? _response;
    private readonly Stream _body;
    private readonly string _display;
    private readonly long _length;
    private long _left;

    /// <param name="response">The answer to dispose with the reader, if it is not somebody else's.</param>
    /// <param name="body">Its body.</param>
    /// <param name="length">The bytes that must come.</param>
    /// <param name="display">The file as it may be shown.</param>
    public HttpRangeReader(HttpResponseMessage? response, Stream body, long length, string display)
    {
        _response = response;
        _body = body;
        _display = display;
        _length = length;
        _left = length;
    }

    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await _body.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new WeightSourceException(
                _display, $"the connection broke after {_length - _left} of {_length} bytes.", isTransient: true, innerException: e);
        }

        if (read == 0)
        {
            throw new WeightSourceException(_display, $"the answer ended after {_length - _left} of {_length} bytes.", isTransient: true);
        }

        _left -= read;
        return read;
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        _response?.Dispose();
    }
}
