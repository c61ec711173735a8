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
    /// <param name="isThroughProxy">Whether the connection is one to a proxy.</param>
    /// <param name="request">The request, whose secrets the answer may have repeated.</param>
    public static WeightSourceException Of(HttpRequestException e, string display, bool isThroughProxy, HttpRequestMessage request) =>
        ForeignText.Clean(Of(e, display, HostOf(request), isThroughProxy), request);

    // The server chose where it redirected to, and may have put there what it was sent.
    private static string HostOf(HttpRequestMessage request) => request.Options.TryGetValue(RequestSecrets.RedirectedKey, out _)
        ? RequestSecrets.Of(request).Scrub(request.RequestUri!.Host)
        : request.RequestUri!.Host;

    private static WeightSourceException Of(HttpRequestException e, string display, string host, bool isThroughProxy) => e.HttpRequestError switch
    {
        _ when OpenFileLimit.IsReached(e.InnerException) => NoDescriptor(e, display),
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError when isThroughProxy => Proxy(e, display),
        HttpRequestError.NameResolutionError when Socket(e) is SocketError.TryAgain => new WeightSourceException(
            display, $"the host name {host} does not resolve at the moment.", isTransient: true, innerException: e),
        HttpRequestError.NameResolutionError => new WeightSourceException(
            display, $"the host name {host} does not resolve; check the spelling and the network.", innerException: e),
        HttpRequestError.ConnectionError => new WeightSourceException(
            display, $"no connection to the server: {Sentence(e.InnerException ?? e)}", isTransient: true, innerException: e)
        {
            IsUnserved = true,
        },
        HttpRequestError.SecureConnectionError => Tls(e, display),
        HttpRequestError.ProxyTunnelError => Proxy(e, display),
        HttpRequestError.ResponseEnded => new WeightSourceException(
            display, "the server closed the connection before it answered.", isTransient: true, innerException: e)
        {
            IsUnserved = true,
        },
        HttpRequestError.InvalidResponse => new WeightSourceException(
            display, "what answers there does not speak HTTP/1.1, or sent more than it had announced.", innerException: e),
        HttpRequestError.ConfigurationLimitExceeded => new WeightSourceException(
            display, "the headers of the answer are longer than 64 KiB.", innerException: e),

        // Without a cause it is the request itself that cannot be sent: a header with letters that none may have, say.
        _ => new WeightSourceException(
            display,
            $"the request failed: {Sentence(e.InnerException ?? e)}",
            isTransient: e.InnerException is not null,
            innerException: e)
        {
            IsUnserved = e.InnerException is IOException,
        },
    };

    public static WeightSourceException TimedOut(OperationCanceledException e, string display) => new(
        display,
        e.InnerException is TimeoutException ? "no connection to the server in the time for it." : "the server did not answer in time.",
        isTransient: true,
        innerException: e)
    {
        IsUnserved = true,
    };

    /// <param name="display">The file as it may be shown.</param>
    /// <param name="variable">The variable that names the proxy.</param>
    public static WeightSourceException ProxyLogin(string display, string variable) => new(
        display, $"the proxy asks for a login (407); give it in HttpSourceOptions.Proxy or in the variable {variable}.");

    public static WeightSourceException Broken(Exception e, string received, string display, HttpRequestMessage? request) => new(
        display, $"the connection broke after {received}.", isTransient: true, innerException: ForeignText.Cause(e, request));

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
            innerException: e)
        {
            IsUnserved = e.InnerException is IOException,
        };
    }

    // Its own limit is no server's fault: the load goes on with the connections that there are.
    private static WeightSourceException NoDescriptor(HttpRequestException e, string display) => new(
        display,
        "there is no room for another connection: this process may have "
            + (ProcessLimits.OpenFiles is { } limit ? $"{limit} files and sockets open" : "no more files and sockets open")
            + "; raise the limit (ulimit -n), or close some.",
        isTransient: true,
        innerException: e)
    {
        IsUnserved = true,
    };

    // Without the cause, unless it is our own: the text of others has the proxy's address, and that may have a password.
    private static WeightSourceException Proxy(HttpRequestException e, string display) => (int?)e.StatusCode switch
    {
        407 => ProxyLogin(display, "HTTPS_PROXY"),
        { } status => new WeightSourceException(
            display, $"the proxy refused the connection ({status}).", isTransient: status is 408 or 429 or 500 or 502 or 503 or 504),
        null => new WeightSourceException(
            display,
            $"there is no connection to the proxy, or none through it{(e.InnerException is ConnectException own ? $": {own.Message}" : "")}; "
                + "check HttpSourceOptions.Proxy or the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
            isTransient: e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            IsUnserved = e.HttpRequestError == HttpRequestError.ConnectionError,
        },
    };

    private static SocketError? Socket(Exception e) => (e.InnerException as SocketException)?.SocketErrorCode;

    private static string Sentence(Exception e) => Printable.Line(e.Message.TrimEnd('.'), longest: 400) + ".";
}
