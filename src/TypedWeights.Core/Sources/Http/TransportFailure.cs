using System.Net.Sockets;
using System.Security.Authentication;

namespace TypedWeights.Sources.Http;

/// <summary>Says in one sentence why no answer came, or why its body broke off.</summary>
internal static class TransportFailure
{
    /// <param name="e">What the client says.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="host">Which host was asked.</param>
    /// <param name="isThroughProxy">Whether the connection is one to a proxy.</param>
    public static WeightSourceException Of(HttpRequestException e, string display, string host, bool isThroughProxy) => e.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError when isThroughProxy => Proxy(e, display),
        HttpRequestError.NameResolutionError when Socket(e) is SocketError.TryAgain => new WeightSourceException(
            display, $"the host name {host} does not resolve at the moment.", isTransient: true, innerException: e),
        HttpRequestError.NameResolutionError => new WeightSourceException(
            display, $"the host name {host} does not resolve; check the spelling and the network.", innerException: e),
        HttpRequestError.ConnectionError => new WeightSourceException(
            display, $"no connection to the server: {Sentence(e.InnerException ?? e)}", isTransient: true, innerException: e),
        HttpRequestError.SecureConnectionError => Tls(e, display),
        HttpRequestError.ProxyTunnelError => Proxy(e, display),
        HttpRequestError.ResponseEnded => new WeightSourceException(
            display, "the server closed the connection before it answered.", isTransient: true, innerException: e),
        HttpRequestError.InvalidResponse => new WeightSourceException(
            display, "what answers there does not speak HTTP/1.1, or sent more than it had announced.", innerException: e),
        HttpRequestError.ConfigurationLimitExceeded => new WeightSourceException(
            display, "the headers of the answer are longer than 64 KiB.", innerException: e),

        // Without a cause it is the request itself that cannot be sent: a header with letters that none may have, say.
        _ => new WeightSourceException(
            display,
            $"the request failed: {Sentence(e.InnerException ?? e)}",
            isTransient: e.InnerException is not null,
            innerException: e),
    };

    public static WeightSourceException TimedOut(OperationCanceledException e, string display) => new(
        display,
        e.InnerException is TimeoutException ? "no connection to the server in the time for it." : "the server did not answer in time.",
        isTransient: true,
        innerException: e);

    public static WeightSourceException Broken(Exception e, long received, long length, string display) => new(
        display, $"the connection broke after {received} of {length} bytes.", isTransient: true, innerException: e);

    // The certificate is the server's fault or the machine's; a connection that is cut during the handshake is the network's.
    private static WeightSourceException Tls(HttpRequestException e, string display)
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
            $"no TLS connection to the server: {Sentence(e.InnerException ?? e)}",
            isTransient: e.InnerException is not AuthenticationException,
            innerException: e);
    }

    // Without the cause: its text has the proxy's address, and that may have a password.
    private static WeightSourceException Proxy(HttpRequestException e, string display) => (int?)e.StatusCode switch
    {
        407 => new WeightSourceException(
            display, "the proxy asks for a login (407); give it in HttpSourceOptions.Proxy or in the variable HTTPS_PROXY."),
        { } status => new WeightSourceException(
            display, $"the proxy refused the connection ({status}).", isTransient: status is 408 or 429 or 500 or 502 or 503 or 504),
        null => new WeightSourceException(
            display,
            "there is no connection to the proxy, or none through it; "
                + "check HttpSourceOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
            isTransient: e.HttpRequestError == HttpRequestError.ConnectionError),
    };

    private static SocketError? Socket(Exception e) => (e.InnerException as SocketException)?.SocketErrorCode;

    private static string Sentence(Exception e) => e.Message.TrimEnd('.') + ".";
}
