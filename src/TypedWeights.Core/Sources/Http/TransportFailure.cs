using System.Net.Sockets;
using System.Security.Authentication;
using TypedWeights.Errors;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>Says in one sentence why no answer came, or why its body broke off.</summary>
internal static class TransportFailure
{
    /// <param name="e">What the client says; it may quote the answer.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="proxy">The proxy that the connection goes to; null for none.</param>
    /// <param name="request">The request, whose secrets the answer may have repeated.</param>
    public static WeightSourceException Of(HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request) =>
        ForeignText.Clean(Failure(e, display, proxy, request), request);

    private static string HostOf(HttpRequestMessage request) => HostsOf(request.RequestUri!.Host, request);

    // The server chose where it redirected to, and may have put there what it was sent.
    private static string HostsOf(string text, HttpRequestMessage request) =>
        request.Options.TryGetValue(RequestSecrets.RedirectedKey, out _) ? RequestSecrets.Of(request).Scrub(text) : text;

    private static WeightSourceException Failure(
        HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request) => e.HttpRequestError switch
        {
            _ when OpenFileLimit.IsReached(e.InnerException) => NoDescriptor(e, display),
            HttpRequestError.NameResolutionError => Unresolved(e, display, proxy, request),
            HttpRequestError.ConnectionError when proxy is not null => Proxy(e, display, proxy),
            HttpRequestError.ConnectionError => new WeightSourceException(
                display, $"no connection to the server: {Sentence(e, request)}", innerException: e)
            {
                IsTransient = true,
                IsUnserved = true,
            },
            HttpRequestError.SecureConnectionError => Tls(e, display, request),
            HttpRequestError.ProxyTunnelError => Proxy(e, display, proxy),
            HttpRequestError.ResponseEnded => new WeightSourceException(
                display, "the server closed the connection before it answered.", innerException: e)
            {
                IsTransient = true,
                IsUnserved = true,
            },
            HttpRequestError.InvalidResponse => new WeightSourceException(
                display, "what answers there does not speak HTTP/1.1, or sent more than it had announced.", innerException: e),
            HttpRequestError.ConfigurationLimitExceeded => new WeightSourceException(
                display, "the headers of the answer are longer than 64 KiB.", innerException: e),

            // Without a cause it is the request itself that cannot be sent: a header with letters that none may have, say.
            _ => new WeightSourceException(
                display,
                $"the request failed: {Sentence(e, request)}",
                innerException: e)
            {
                IsTransient = e.InnerException is not null,
                IsUnserved = e.InnerException is IOException,
            },
        };

    public static WeightSourceException TimedOut(OperationCanceledException e, string display) => new(
        display,
        e.InnerException is TimeoutException ? "no connection to the server in the time for it." : "the server did not answer in time.",
        innerException: e)
    {
        IsTransient = true,
        IsUnserved = true,
    };

    /// <param name="display">The file as it may be shown.</param>
    /// <param name="variable">The variable that names the proxy.</param>
    public static WeightSourceException ProxyLogin(string display, string variable) => new(
        display, $"the proxy asks for a login (407); give it in HttpOptions.Proxy or in the variable {variable}.");

    public static WeightSourceException Broken(Exception e, string received, string display, HttpRequestMessage? request) => new(
        display, $"the connection broke after {received}.", innerException: ForeignText.Cause(e, request))
    {
        IsTransient = true,
    };

    // The certificate is the server's fault or the machine's; a connection that is cut during the handshake is the network's.
    private static WeightSourceException Tls(HttpRequestException e, string display, HttpRequestMessage request)
    {
        for (Exception? cause = e.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (cause is ServerCertificate.CertificateException)
            {
                return new WeightSourceException(display, cause.Message, innerException: e);
            }
        }

        return new WeightSourceException(
            display,
            $"no TLS connection to the server: {Sentence(e, request)}",
            innerException: e)
        {
            IsTransient = e.InnerException is not AuthenticationException,
            IsUnserved = e.InnerException is IOException,
        };
    }

    // Its own limit is no server's fault: the load goes on with the connections that there are.
    private static WeightSourceException NoDescriptor(HttpRequestException e, string display) => new(
        display,
        "there is no room for another connection: this process may have "
            + (ProcessLimits.OpenFiles is { } limit ? $"{limit} files and sockets open" : "no more files and sockets open")
            + "; raise the limit (ulimit -n), or close some.",
        innerException: e)
    {
        IsTransient = true,
        IsUnserved = true,
    };

    // With the proxy's host alone, and without the cause: the text of others has the proxy's address, and that may have a password.
    private static WeightSourceException Unresolved(HttpRequestException e, string display, Uri? proxy, HttpRequestMessage request)
    {
        bool isTransient = (e.InnerException as SocketException)?.SocketErrorCode is SocketError.TryAgain;
        string host = proxy is null ? $"the host name {HostOf(request)}" : $"the host name {proxy.Host} of the proxy";
        string advice = isTransient ? " at the moment."
            : proxy is null ? "; check the spelling and the network."
            : "; check HttpOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and the network.";
        return new WeightSourceException(
            display, $"{host} does not resolve{advice}", innerException: proxy is null ? e : null)
        {
            IsTransient = isTransient,
        };
    }

    private static WeightSourceException Proxy(HttpRequestException e, string display, Uri? proxy) => (int?)e.StatusCode switch
    {
        407 => ProxyLogin(display, "HTTPS_PROXY"),
        { } status => new WeightSourceException(
            display, $"the proxy refused the connection ({status}).")
        {
            IsTransient = status is 408 or 429 or 500 or 502 or 503 or 504,
        },
        null => new WeightSourceException(
            display,
            $"there is no connection to the proxy{(proxy is null ? "" : " " + proxy.Authority)}, or none through it"
                + $"{(e.InnerException is ConnectException own ? $": {own.Message}" : "")}; "
                + "check HttpOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.")
        {
            IsTransient = e.HttpRequestError == HttpRequestError.ConnectionError,
            IsUnserved = e.HttpRequestError == HttpRequestError.ConnectionError,
        },
    };

    // The client may quote the answer: secrets are left out of all that it says. What a failed connection says is the library's own.
    private static string Sentence(HttpRequestException e, HttpRequestMessage request)
    {
        string said = (e.InnerException ?? e).Message;
        string shown = e.InnerException is ConnectException ? HostsOf(said, request) : ForeignText.Show(said, request, isFree: false);
        return shown.TrimEnd('.') + ".";
    }
}
