using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace TypedWeights.Sources.Http;

/// <summary>A file behind a URL, read by range requests. Every response must be of the same version of the file.</summary>
internal sealed class HttpSource : IWeightSource, IRequestedSource
{
    private readonly HttpTarget _target;
    private readonly HttpIdentity _identity;
    private readonly ReadOnlyMemory<byte> _firstBytes;

    private HttpSource(HttpTarget target, HttpIdentity identity, long length, ReadOnlyMemory<byte> firstBytes)
    {
        _target = target;
        _identity = identity;
        _firstBytes = firstBytes;
        Length = length;
    }

    public string Display => _target.Display;

    public HttpRequestMessage? LastRequest => _target.LastRequest;

    public long Length { get; }

    public string? Validator => _identity.Validator;

    public string? Version => _identity.Version;

    /// <summary>Opens a file by requesting its first bytes.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="firstBytes">How many bytes the opening response brings, at least 1.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The file; one that can only be read in order when the server ignores ranges.</returns>
    /// <exception cref="WeightSourceException">The file cannot be opened.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(HttpTarget target, int firstBytes, CancellationToken cancellationToken)
    {
        var identity = new HttpIdentity(target.File);
        HttpResponseMessage response =
            await target.SendAsync(RangeRequest.Bytes(0, firstBytes, identity), cancellationToken).ConfigureAwait(false);
        try
        {
            if (ResponseCheck.LengthOfUnsatisfiable(response) == 0)
            {
                identity.Check(response, 0);
                response.Dispose();
                return new HttpSource(target, identity, 0, default);
            }

            if (response.StatusCode == HttpStatusCode.OK)
            {
                return await HttpSequentialSource.OpenAsync(target, identity, response, firstBytes, cancellationToken).ConfigureAwait(false);
            }

            ContentRangeHeaderValue range = ResponseCheck.Part(response, target.IsElsewhere(response), target.Display);
            identity.Check(response, range.Length);
            byte[] bytes = new byte[(int)ResponseCheck.LengthOfPart(response, range, 0, firstBytes, target.Display)];
            var body = new HttpBody(response, bytes.Length, target.Display);
            await using (body.ConfigureAwait(false))
            {
                await body.FillAsync(bytes, cancellationToken).ConfigureAwait(false);
            }

            return range.Length is { } length
                ? new HttpSource(target, identity, length, bytes)
                : await OpenWholeAsync(target, identity, bytes, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file without a request; the first response to one of its ranges fixes its version.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="expectedLength">Its length in bytes; another length is an error of the reads.</param>
    public static HttpSource OpenAhead(HttpTarget target, long expectedLength) =>
        new(target, new HttpIdentity(target.File, expectedLength), expectedLength, default);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        if (offset + length <= _firstBytes.Length)
        {
            return new MemoryReader(_firstBytes.Slice((int)offset, (int)length));
        }

        HttpBody body = await OpenBodyAsync(offset, length, cancellationToken).ConfigureAwait(false);
        return new Reader(this, body, offset, length);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // The body begins with the first byte of the range, and may end before the last.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpBody> OpenBodyAsync(long offset, long length, CancellationToken cancellationToken)
    {
        HttpResponseMessage response =
            await _target.SendAsync(RangeRequest.Bytes(offset, length, _identity), cancellationToken).ConfigureAwait(false);
        try
        {
            if (ResponseCheck.LengthOfUnsatisfiable(response) is { } found)
            {
                _identity.CheckLength(found);
            }

            ContentRangeHeaderValue range = ResponseCheck.Part(response, _target.IsElsewhere(response), Display);
            _identity.Check(response, range.Length);
            return new HttpBody(response, ResponseCheck.LengthOfPart(response, range, offset, length, Display), Display);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    // The responses to ranges do not state the length of the file (bytes 0-7/*). A response with the whole file does, or its end.
    private static async ValueTask<IWeightSource> OpenWholeAsync(
        HttpTarget target, HttpIdentity identity, byte[] firstBytes, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await target.SendAsync(RangeRequest.Whole(identity), cancellationToken).ConfigureAwait(false);
        try
        {
            if (response.StatusCode == HttpStatusCode.PartialContent)
            {
                throw new WeightSourceException(
                    target.Display,
                    "the server does not state the length of the file: its Content-Range ends in /*, and it responds to a request for the whole file "
                        + "with a part (206). Fetch it with another program, such as curl, and load it from disk.");
            }

            ResponseCheck.ThrowUnlessWhole(response, target.IsElsewhere(response), target.Display);
            if (ResponseCheck.LengthOf(response, target.Display) is not { } length)
            {
                return await HttpSequentialSource.OpenAsync(target, identity, response, firstBytes.Length, cancellationToken)
                    .ConfigureAwait(false);
            }

            identity.Check(response, length);
            response.Dispose();
            return new HttpSource(target, identity, length, firstBytes);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads a range from the body of its own response. A server may send fewer bytes than requested, but at least one: then the rest is
    /// requested when those have been read.
    /// </summary>
    private sealed class Reader(HttpSource source, HttpBody body, long offset, long length) : IRangeReader
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
}
