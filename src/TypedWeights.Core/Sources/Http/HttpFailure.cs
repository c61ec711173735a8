using System.Net;

namespace TypedWeights.Sources.Http;

/// <summary>Says in one sentence what an answer that is not the wanted range means. Never repeats a URL's secrets.</summary>
internal static class HttpFailure
{
    public static async ValueTask<HttpResponseMessage> SendAsync(
        HttpClient client, HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new WeightSourceException(display, Describe(e), isTransient: IsTransient(e.HttpRequestError), innerException: e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WeightSourceException(display, "the server did not answer in time.", isTransient: true, innerException: e);
        }
    }

    public static async ValueTask<Stream> BodyAsync(HttpResponseMessage response, string display, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new WeightSourceException(display, "the connection broke before the first byte.", isTransient: true, innerException: e);
        }
    }

    /// <summary>Whether a 416 says that the file has no bytes at all.</summary>
    public static bool IsEmptyFile(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && response.Content.Headers.ContentRange?.Length == 0;

    /// <summary>Throws unless the answer is a 206 with an uncompressed body and a Content-Range in bytes.</summary>
    public static void ThrowUnlessPartial(HttpResponseMessage response, string display)
    {
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            throw Of(response, display);
        }

        if (response.Content.Headers.ContentEncoding.Any(encoding => !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new WeightSourceException(
                display, $"the server compressed the body ({string.Join(", ", response.Content.Headers.ContentEncoding)}) though it was asked not to.");
        }

        if (response.Content.Headers.ContentRange is not { Unit: "bytes" })
        {
            throw new WeightSourceException(display, "the server sent a part (206) without a Content-Range in bytes.");
        }
    }

    public static WeightSourceException Changed(string display) =>
        new(display, "the file was replaced while it was read; load it again.");

    private static WeightSourceException Of(HttpResponseMessage response, string display)
    {
        int status = (int)response.StatusCode;
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new WeightSourceException(
                display, "the server ignores range requests (it answered 200 to one); download the file and load it from disk."),
            HttpStatusCode.Unauthorized => new WeightSourceException(display, "the server asks for a login (401)."),
            HttpStatusCode.Forbidden => new WeightSourceException(
                display, "access is refused (403): the credentials do not reach this file, or a signed URL has expired."),
            HttpStatusCode.NotFound or HttpStatusCode.Gone => new WeightSourceException(
                display, $"there is no such file on the server ({status}).", isNotFound: true),
            HttpStatusCode.PreconditionFailed => Changed(display),
            HttpStatusCode.RequestedRangeNotSatisfiable => new WeightSourceException(
                display, "the server does not have this range (416): the file is shorter than it was when it was opened."),
            >= HttpStatusCode.Ambiguous and < HttpStatusCode.BadRequest => new WeightSourceException(
                display, $"the server redirects ({status}) to where this client does not follow: too often, or from https to http."),
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError =>
                new WeightSourceException(display, $"the server cannot answer now ({status} {response.ReasonPhrase}).", isTransient: true),
            _ => new WeightSourceException(display, $"the server answered {status} {response.ReasonPhrase}."),
        };
    }

    private static bool IsTransient(HttpRequestError error) =>
        error is not (HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError);

    private static string Describe(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "the host name does not resolve; check the spelling and the network.",
        HttpRequestError.ConnectionError => $"no connection to the server: {e.InnerException?.Message ?? e.Message}.",
        HttpRequestError.SecureConnectionError => "TLS failed: " + (e.InnerException?.Message ?? e.Message),
        HttpRequestError.ProxyTunnelError => "the proxy refused the connection; check HTTPS_PROXY.",
        _ => $"the request failed: {e.Message}",
    };
}
