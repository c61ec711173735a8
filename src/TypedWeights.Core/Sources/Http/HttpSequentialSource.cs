using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A file on a server that ignores ranges, read from the response that opened it. When the response breaks off, the file is requested again,
/// if it is certain to be the same file.
/// </summary>
internal sealed class HttpSequentialSource : SequentialSource, IRequestedSource
{
    private readonly HttpTarget _target;
    private readonly HttpIdentity _identity;

    private HttpSequentialSource(HttpTarget target, HttpIdentity identity, HttpBody body, long length, ReadOnlyMemory<byte> firstBytes)
        : base(body, length, firstBytes)
    {
        _target = target;
        _identity = identity;
    }

    public override string Display => _target.Display;

    public override string? Validator => _identity.Validator;

    public override string? Version => _identity.Version;

    public HttpRequestMessage? LastRequest => _target.LastRequest;

    /// <summary>Opens a file whose server responded to a range with 200.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="identity">Is given the length and the validator.</param>
    /// <param name="response">The response; disposed with the source.</param>
    /// <param name="firstBytes">How many bytes are kept, at least.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It is a page or a pointer and not a file, or its length cannot be found.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(
        HttpTarget target, HttpIdentity identity, HttpResponseMessage response, int firstBytes, CancellationToken cancellationToken)
    {
        ResponseCheck.ThrowIfCompressed(response, target.Display);
        ResponseCheck.ThrowIfPage(response, target.Display);
        long? announced = ResponseCheck.LengthOf(response, target.Display);
        var body = new HttpBody(response, announced, target.Display);
        byte[] bytes = new byte[(int)Math.Min(Math.Max(firstBytes, FileSniffer.Wanted), announced ?? long.MaxValue)];
        int count = await body.FillAsync(bytes, cancellationToken).ConfigureAwait(false);
        ResponseCheck.ThrowIfPage(bytes.AsSpan(0, count), target.Display);
        (long length, ReadOnlyMemory<byte> start) = announced is { } known
            ? (known, bytes)
            : await FindLengthAsync(body, bytes.AsMemory(0, count), mayBeIndex: true, target.Display, cancellationToken).ConfigureAwait(false);
        identity.Check(response, length);
        return new HttpSequentialSource(target, identity, body, length, start);
    }

    protected override async ValueTask<ForwardBody> ReopenAsync(CancellationToken cancellationToken)
    {
        if (_identity.Validator is null)
        {
            throw new WeightSourceException(
                Display,
                "the connection broke, and the server neither supports range requests nor sends an ETag or Last-Modified, so a new "
                    + "request may return another file; try again, or fetch it with another program, such as curl.");
        }

        HttpResponseMessage response = await _target.SendAsync(RangeRequest.Whole(_identity), cancellationToken).ConfigureAwait(false);
        try
        {
            ResponseCheck.ThrowUnlessWhole(response, _target.IsElsewhere(response), Display);
            _identity.Check(response, ResponseCheck.LengthOf(response, Display));
            return new HttpBody(response, Length, Display);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }
}
