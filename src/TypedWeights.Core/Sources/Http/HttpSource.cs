using System.Net.Http.Headers;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A file behind a URL. Its length and validator come with the first answer; every later one must agree, so that a file replaced
/// half-way is an error and never a mixture.
/// </summary>
internal sealed class HttpSource : IWeightSource
{
    // The opening request asks for what every reader of the format wants first: the header's length.
    private const int PrefixLength = 8;

    private readonly HttpClient _client;
    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _authorization;
    private readonly EntityTagHeaderValue? _strongTag;
    private readonly byte[] _prefix;

    private HttpSource(
        HttpClient client, Uri address, AuthenticationHeaderValue? authorization, string display, HttpResponseMessage first, long length, byte[] prefix)
    {
        _client = client;
        _address = address;
        _authorization = authorization;
        _strongTag = first.Headers.ETag is { IsWeak: false } tag ? tag : null;
        _prefix = prefix;
        Display = display;
        Length = length;
        Validator = ValidatorOf(first);
    }

    public string Display { get; }

    public long Length { get; }

    public string? Validator { get; }

    public static async ValueTask<HttpSource> OpenAsync(
        HttpClient client, Uri address, AuthenticationHeaderValue? authorization, string display, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(address, authorization, 0, PrefixLength);
        using HttpResponseMessage response = await HttpFailure.SendAsync(client, request, display, cancellationToken).ConfigureAwait(false);
        Uri final = response.RequestMessage?.RequestUri ?? address;

        // A redirect has been followed once and for all; credentials stay with the origin they were given for.
        AuthenticationHeaderValue? forFinal = SameOrigin(address, final) ? authorization : null;
        if (HttpFailure.IsEmptyFile(response))
        {
            return new HttpSource(client, final, forFinal, display, response, 0, []);
        }

        HttpFailure.ThrowUnlessPartial(response, display);
        ContentRangeHeaderValue range = response.Content.Headers.ContentRange!;
        if (range is not { From: 0, To: not null, Length: not null } || range.To != Math.Min(PrefixLength, range.Length.Value) - 1)
        {
            throw new WeightSourceException(
                display, $"the server answered the range 0-{PrefixLength - 1} with Content-Range: {range}; it cannot be streamed from.");
        }

        byte[] prefix = new byte[(int)range.To.Value + 1];
        Stream body = await HttpFailure.BodyAsync(response, display, cancellationToken).ConfigureAwait(false);
        var reader = new HttpRangeReader(null, body, prefix.Length, display);
        await using (reader.ConfigureAwait(false))
        {
            for (int filled = 0; filled < prefix.Length;)
            {
                filled += await reader.ReadAsync(prefix.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            }
        }

        return new HttpSource(client, final, forFinal, display, response, range.Length.Value, prefix);
    }

    public async ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        if (offset + length <= _prefix.Length)
        {
            return new HttpRangeReader(null, new MemoryStream(_prefix, (int)offset, (int)length, writable: false), length, Display);
        }

        using HttpRequestMessage request = Request(_address, _authorization, offset, length);
        if (_strongTag is not null)
        {
            request.Headers.IfMatch.Add(_strongTag);
        }

        HttpResponseMessage response = await HttpFailure.SendAsync(_client, request, Display, cancellationToken).ConfigureAwait(false);
        try
        {
            HttpFailure.ThrowUnlessPartial(response, Display);
            ContentRangeHeaderValue range = response.Content.Headers.ContentRange!;
            if (range.Length != Length || ValidatorOf(response) != Validator)
            {
                throw HttpFailure.Changed(Display);
            }

            if (range.From != offset || range.To != offset + length - 1)
            {
                throw new WeightSourceException(
                    Display, $"the server answered the range {offset}-{offset + length - 1} with Content-Range: {range}.");
            }

            Stream body = await HttpFailure.BodyAsync(response, Display, cancellationToken).ConfigureAwait(false);
            return new HttpRangeReader(response, body, length, Display);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static HttpRequestMessage Request(Uri address, AuthenticationHeaderValue? authorization, long offset, long length)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        request.Headers.Authorization = authorization;
        return request;
    }

    private static string? ValidatorOf(HttpResponseMessage response) =>
        response.Headers.ETag?.ToString()
        ?? (response.Content.Headers.LastModified is { } modified ? $"last-modified:{modified.UtcDateTime:R}" : null);

    private static bool SameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.Host == b.Host && a.Port == b.Port;
}
