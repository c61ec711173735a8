using System.Net.Sockets;
using System.Security.Authentication;
using TypedWeights.Errors;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>Describes in one sentence why no response arrived, or why its body broke off.</summary>
internal static class TransportFailure
{
    /// <param name="e">The client's exception, whose text may quote the response.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="proxy">The proxy of the connection; null for none.</param>
    /// <param name="request">The request, whose secrets the response may have repeated.</param>
    public static WeightSourceException Of(HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request) =>
        ForeignText.Clean(Failure(e, display, proxy, request), request);

    public static WeightSourceException TimedOut(OperationCanceledException e, string display) => Unserved(
        display,
        e.InnerException is TimeoutException ? "no connection to the server within the time limit." : "the server did not respond in time.",
        e);

    /// <param name="display">The file as it may be shown.</param>
    /// <param name="variable">The variable that names the proxy.</param>
    public static WeightSourceException ProxyLogin(string display, string variable) => new(
        display, $"the proxy requires credentials (407); set them in HttpOptions.Proxy or in the variable {variable}.");

    public static WeightSourceException Broken(Exception e, string received, string display, HttpRequestMessage? request) => new(
        display, $"the connection broke after {received}.", innerException: ForeignText.Cause(e, request))
    {
        IsTransient = true,
    };

    private static WeightSourceException Failure(
        HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request) => e.HttpRequestError switch
        {
            // The load continues with the connections that it has.
            _ when OpenFileLimit.IsReached(e.InnerException) => Unserved(
                display,
                "no more connections can be opened: this process may have "
                    + (ProcessLimits.OpenFiles is { } limit ? $"{limit} files and sockets open" : "no more files and sockets open")
                    + "; raise the limit (ulimit -n), or close some.",
                e),
            HttpRequestError.NameResolutionError => Unresolved(e, display, proxy, request),
            HttpRequestError.ConnectionError when proxy is not null => Proxy(e, display, proxy),
            HttpRequestError.ConnectionError => Unserved(display, $"no connection to the server: {Sentence(e, request)}", e),
            HttpRequestError.SecureConnectionError => Tls(e, display, request),
            HttpRequestError.ProxyTunnelError => Proxy(e, display, proxy),
            HttpRequestError.ResponseEnded => Unserved(display, "the server closed the connection before it responded.", e),
            HttpRequestError.InvalidResponse => new WeightSourceException(
                display, "the response is not HTTP/1.1, or is longer than announced.", innerException: e),
            HttpRequestError.ConfigurationLimitExceeded => new WeightSourceException(
                display, "the headers of the response are longer than 64 KiB.", innerException: e),

            // Without a cause, the request itself cannot be sent: a header has an invalid character, for example.
            _ => new WeightSourceException(display, $"the request failed: {Sentence(e, request)}", innerException: e)
            {
                IsTransient = e.InnerException is not null,
                IsUnserved = e.InnerException is IOException,
            },
        };

    private static WeightSourceException Unserved(string display, string message, Exception e) => new(display, message, innerException: e)
    {
        IsTransient = true,
        IsUnserved = true,
    };

    // A wrong certificate is permanent. A connection that breaks during the handshake is a failure of the network.
    private static WeightSourceException Tls(HttpRequestException e, string display, HttpRequestMessage request)
    {
        for (Exception? cause = e.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (cause is ServerCertificate.CertificateException)
            {
                return new WeightSourceException(display, cause.Message, innerException: e);
            }
        }

        return new WeightSourceException(display, $"no TLS connection to the server: {Sentence(e, request)}", innerException: e)
        {
            IsTransient = e.InnerException is not AuthenticationException,
            IsUnserved = e.InnerException is IOException,
        };
    }

    // For a proxy, with its host alone and without the cause, whose text has the address of the proxy, perhaps with a password.
    private static WeightSourceException Unresolved(HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request)
    {
        bool isTransient = (e.InnerException as SocketException)?.SocketErrorCode is SocketError.TryAgain;
        string host = proxy is null
            ? $"the host name {WithoutSecrets(request.RequestUri!.Host, request)}"
            : $"the host name {proxy.Host} of the proxy";
        string advice = isTransient ? " at the moment."
            : proxy is null ? "; check the spelling and the network."
            : "; check HttpOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and the network.";
        return new WeightSourceException(display, $"{host} does not resolve{advice}", innerException: proxy is null ? e : null)
        {
            IsTransient = isTransient,
        };
    }

    private static WeightSourceException Proxy(HttpRequestException e, string display, Uri? proxy) => (int?)e.StatusCode switch
    {
        407 => ProxyLogin(display, "HTTPS_PROXY"),
        { } status => new WeightSourceException(display, $"the proxy refused the connection ({status}).")
        {
            IsTransient = status is 408 or 429 or 500 or 502 or 503 or 504,
        },
        null => new WeightSourceException(
            display,
            $"could not connect to the proxy{(proxy is null ? "" : " " + proxy.Authority)}, or through it"
                + $"{(e.InnerException is ConnectException own ? $": {own.Message}" : "")}; "
                + "check HttpOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.")
        {
            IsTransient = e.HttpRequestError == HttpRequestError.ConnectionError,
            IsUnserved = e.HttpRequestError == HttpRequestError.ConnectionError,
        },
    };

    // The text of the client may quote the response, so secrets are removed. The text of ConnectException is the library's own.
    private static string Sentence(HttpRequestException e, HttpRequestMessage request)
    {
        string text = (e.InnerException ?? e).Message;
        return (e.InnerException is ConnectException ? WithoutSecrets(text, request) : ForeignText.Show(text, request, isFree: false))
            .TrimEnd('.') + ".";
    }

    // A server chooses where it redirects to, and the host may contain what the server was sent.
    private static string WithoutSecrets(string text, HttpRequestMessage request) =>
        request.Options.TryGetValue(RequestSecrets.RedirectedKey, out _) ? RequestSecrets.Of(request).Scrub(text) : text;
}
