using System.Runtime.CompilerServices;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Reads a range from the body of its own answer. Where the server sent fewer bytes than it was asked for, which is no failure, it is asked for the
/// rest when those have been read; each answer has at least one byte, so that this ends.
/// </summary>
internal sealed class HttpRangeReader(HttpSource source, HttpBody body, long offset, long length) : IRangeReader
{
    private HttpBody _body = body;
    private long _read;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_body.Left == 0)
        {
            await _body.DisposeAsync().ConfigureAwait(false);
            _body = await source.OpenBodyAsync(offset + _read, length - _read, cancellationToken).ConfigureAwait(false);
        }

        int count = (int)Math.Min(destination.Length, _body.Left!.Value);
        int read = await _body.ReadAsync(destination[..count], cancellationToken).ConfigureAwait(false);
        _read += read;
        return read;
    }

    public ValueTask DisposeAsync() => _body.DisposeAsync();
}
