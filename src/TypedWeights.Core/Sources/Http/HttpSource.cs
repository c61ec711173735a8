using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace TypedWeights.Sources.Http;

/// <summary>A file behind a URL, read by range requests, each of which must be answered with the same version of it.</summary>
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

    public HttpRequestMessage? Asked => _target.Asked;

    public long Length { get; }

    public string? Validator => _identity.Validator;

    public string? Version => _identity.Version;

    /// <summary>Opens a file by asking for its first bytes.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="firstBytes">How many come along with the opening answer, at least 1.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The file; one that can only be read in order where the server ignores ranges.</returns>
    /// <exception cref="WeightSourceException">It cannot be opened.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(HttpTarget target, int firstBytes, CancellationToken cancellationToken)
    {
        var identity = new HttpIdentity(target.File);
        HttpResponseMessage answer = await target.SendAsync(RangeRequest.Bytes(0, firstBytes, identity), cancellationToken).ConfigureAwait(false);
        bool isHandedOn = false;
        try
        {
            if (ResponseCheck.IsEmptyFile(answer))
            {
                identity.Check(answer, 0);
                return new HttpSource(target, identity, 0, default);
            }

            if (answer.StatusCode == HttpStatusCode.OK)
            {
                isHandedOn = true;
                return await SequentialSource.OpenAsync(target, identity, answer, firstBytes, cancellationToken).ConfigureAwait(false);
            }

            ContentRangeHeaderValue range = ResponseCheck.Part(answer, target.IsElsewhere(answer), target.Display);
            identity.Check(answer, range.Length);
            byte[] bytes = new byte[(int)ResponseCheck.LengthOfPart(answer, range, 0, firstBytes, target.Display)];
            isHandedOn = true;
            var body = new HttpBody(answer, bytes.Length, target.Display);
            await using (body.ConfigureAwait(false))
            {
                await body.FillAsync(bytes, cancellationToken).ConfigureAwait(false);
            }

            return range.Length is { } length
                ? new HttpSource(target, identity, length, bytes)
                : await OpenWholeAsync(target, identity, bytes, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!isHandedOn)
            {
                answer.Dispose();
            }
        }
    }

    /// <summary>Opens a file without asking for it; the first answer to one of its ranges fixes which version it is.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="expectedLength">Its length in bytes; another one is an error of the reads.</param>
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
        return new HttpRangeReader(this, body, offset, length);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Asks for a range.</summary>
    /// <returns>The body of the answer: it begins with the first byte of the range, and may end before the last.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<HttpBody> OpenBodyAsync(long offset, long length, CancellationToken cancellationToken)
    {
        RangeRequest ask = RangeRequest.Bytes(offset, length, _identity);
        HttpResponseMessage answer = await _target.SendAsync(ask, cancellationToken).ConfigureAwait(false);
        try
        {
            if (ResponseCheck.LengthOfRefusal(answer) is { } found)
            {
                _identity.CheckLength(found);
            }

            ContentRangeHeaderValue range = ResponseCheck.Part(answer, _target.IsElsewhere(answer), Display);
            _identity.Check(answer, range.Length);
            return new HttpBody(answer, ResponseCheck.LengthOfPart(answer, range, offset, length, Display), Display);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    // Answers to ranges do not say how long the file is (bytes 0-7/*): the head of an answer with all of it does, or its end.
    private static async ValueTask<IWeightSource> OpenWholeAsync(
        HttpTarget target, HttpIdentity identity, byte[] firstBytes, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer = await target.SendAsync(
            new RangeRequest(Range: null, identity.StrongTag, Version: identity.Version), cancellationToken).ConfigureAwait(false);
        bool isHandedOn = false;
        try
        {
            if (answer.StatusCode == HttpStatusCode.PartialContent)
            {
                throw new WeightSourceException(
                    target.Display,
                    "the server does not say how long the file is: its Content-Range ends in /*, and it answers a request for all of the file "
                        + "with a part (206). Fetch it with another program, such as curl, and load it from disk.");
            }

            ResponseCheck.ThrowUnlessWhole(answer, target.IsElsewhere(answer), target.Display);
            if (ResponseCheck.LengthOf(answer, target.Display) is { } length)
            {
                identity.Check(answer, length);
                return new HttpSource(target, identity, length, firstBytes);
            }

            isHandedOn = true;
            return await SequentialSource.OpenAsync(target, identity, answer, firstBytes.Length, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!isHandedOn)
            {
                answer.Dispose();
            }
        }
    }
}
