using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using TypedWeights.Errors;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>One request for bytes of a file.</summary>
/// <param name="Range">The value of <c>Range</c>; null for the whole file.</param>
/// <param name="IfMatch">
/// The strong ETag that the file must still have; null when it has none, or at an address that may only redirect.
/// </param>
/// <param name="Length">The number of bytes; 0 when it is not known.</param>
/// <param name="Version">The store's version of the file; null for the current one.</param>
/// <param name="IsAgain">Whether the request got an error response and its credentials have been renewed since.</param>
internal readonly record struct RangeRequest(string? Range, string? IfMatch, long Length = 0, string? Version = null, bool IsAgain = false)
{
    /// <summary>A request for a range.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes, at least 1.</param>
    /// <param name="identity">Which file it must be, as far as that is known.</param>
    public static RangeRequest Bytes(long offset, long length, HttpIdentity identity) => new(
        string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-{offset + length - 1}"), identity.StrongETag, length, identity.Version);

    /// <summary>A request for the whole file.</summary>
    public static RangeRequest Whole(HttpIdentity identity) => new(Range: null, identity.StrongETag, Version: identity.Version);
}

/// <summary>
/// Sends single requests over a loader's connections: one pool for each origin. It follows no redirects and repeats nothing.
/// </summary>
internal sealed class HttpChannel : IDisposable
{
    private const long FewFiles = 4096;

    private readonly HttpMessageInvoker _connections;
    private readonly IWebProxy? _proxy;
    private readonly Lazy<(string? Http, string? Https)> _proxyFaults;
    private readonly Lazy<string?> _authoritiesFault = new(AuthoritiesFault);
    private readonly bool _isAscii;
    private readonly string? _tooFewFiles = OpenFileLimit.TooLow;

    /// <param name="options">How servers are reached.</param>
    public HttpChannel(HttpOptions options)
    {
        options.Validate();
        SocketsHttpHandler handler = CreateHandler(options);
        _proxy = handler.UseProxy ? handler.Proxy ?? HttpClient.DefaultProxy : null;

        // A program may have set HttpClient.DefaultProxy itself. Only .NET's own proxy comes from the environment.
        bool isOfEnvironment = handler.UseProxy && handler.Proxy is null && _proxy?.GetType().Assembly == typeof(HttpClient).Assembly;
        _proxyFaults = new(() => isOfEnvironment
            ? (ProxyVariables.Fault("http", Environment.GetEnvironmentVariable), ProxyVariables.Fault("https", Environment.GetEnvironmentVariable))
            : (null, null));
        _isAscii = handler.RequestHeaderEncodingSelector is null;
        _connections = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Sends one request for bytes of a file.</summary>
    /// <param name="address">The address, without user info.</param>
    /// <param name="range">The bytes.</param>
    /// <param name="isOwn">Whether the address is in the origin that the file's credentials are for.</param>
    /// <param name="redirected">The request that was redirected to this address; null for none.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The response, whatever its status is; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No response arrived, or a header cannot be sent.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(
        Uri address, RangeRequest range, bool isOwn, HttpRequestMessage? redirected, StoreFile file, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (redirected is not null)
        {
            request.Options.Set(RequestSecrets.RedirectedKey, redirected);
        }

        SetRange(request.Headers, range);
        if (isOwn)
        {
            if (range.IsAgain)
            {
                request.Options.Set(StoreFile.IsAgainKey, true);
            }

            await file.AuthorizeAsync(request, cancellationToken).ConfigureAwait(false);

            // Once more, because headers that were added may ask for another range or for a compressed body.
            SetRange(request.Headers, range);
        }

        if (!request.Headers.NonValidated.Contains("User-Agent"))
        {
            request.Headers.TryAddWithoutValidation("User-Agent", "TypedWeights");
        }

        if (OperatingSystem.IsLinux())
        {
            ThriftyStream.Expect(range.Length);
        }

        return await SendAsync(request, file.Display, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends any request.</summary>
    /// <param name="request">The request, complete.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The response, whatever its status is; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No response arrived.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        bool isTls = request.RequestUri!.Scheme == Uri.UriSchemeHttps;
        if ((isTls ? _proxyFaults.Value.Https ?? _authoritiesFault.Value : _proxyFaults.Value.Http) is { } fault)
        {
            throw new WeightSourceException(display, fault);
        }

        if (_tooFewFiles is { } reason)
        {
            throw new WeightSourceException(display, reason + ".");
        }

        ThrowIfUnsendable(request, display);
        try
        {
            HttpResponseMessage response = await _connections.SendAsync(request, cancellationToken).ConfigureAwait(false);

            // Under TLS this is the server's response: an error response of a proxy is an exception there.
            if (response.StatusCode != HttpStatusCode.ProxyAuthenticationRequired || isTls || ProxyFor(request.RequestUri) is null)
            {
                return response;
            }

            response.Dispose();
            throw TransportFailure.ProxyLogin(display, "HTTP_PROXY");
        }
        catch (HttpRequestException e)
        {
            throw TransportFailure.Of(e, display, ProxyFor(request.RequestUri!), request);
        }
        catch (NotSupportedException e)
        {
            throw new WeightSourceException(
                display,
                $"the request cannot be made: {ForeignText.Show(e.Message, request)}",
                innerException: ForeignText.Cause(e, request));
        }
        catch (ObjectDisposedException e)
        {
            throw WeightSourceException.OfDisposedLoader(display, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw TransportFailure.TimedOut(e, display);
        }
    }

    public void Dispose() => _connections.Dispose();

    private static SocketsHttpHandler CreateHandler(HttpOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),

            // The rest of a response is drained only when it is short: the page of an error response, never a range.
            MaxResponseDrainSize = 64 << 10,
            ResponseDrainTimeout = TimeSpan.FromMilliseconds(500),
        };
        if (options.Proxy is not null)
        {
            handler.Proxy = options.Proxy;
        }

        if (ProcessLimits.OpenFiles < FewFiles)
        {
            // Another load may wait for the descriptors of idle connections.
            handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2);
        }

        var connector = new HostConnector();
        handler.ConnectCallback = async (context, cancellationToken) =>
        {
            Socket socket = await connector.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);

            // TLS uses this connection through a proxy, too.
            bool isTls = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps;
            return !OperatingSystem.IsLinux() ? new NetworkStream(socket, ownsSocket: true)
                : isTls ? new ReadAheadStream(socket)
                : new ThriftyStream(socket);
        };
        handler.SslOptions.RemoteCertificateValidationCallback = new ServerCertificate(options.TrustedRoots).Check;
        options.ConfigureHandler?.Invoke(handler);

        // The code depends on these, whatever the callback did. HttpTarget follows redirects: it knows what may be sent along.
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.UseCookies = false;

        // One character for each byte, as ExactUri and ETags need it. By default, .NET reads Location as UTF-8 where it can.
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        return handler;
    }

    private Uri? ProxyFor(Uri address) =>
        _proxy is not null && !_proxy.IsBypassed(address) && _proxy.GetProxy(address) is { } proxy && proxy != address ? proxy : null;

    // .NET reads this file at the first certificate. It would wait for a pipe without end.
    private static string? AuthoritiesFault()
    {
        const string Variable = "SSL_CERT_FILE";
        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path && SmallFile.Refuse(path) is { } reason
            ? $"the certificates of the authorities in {path} ({Variable}) cannot be read: {reason}."
            : null;
    }

    // A line break would start another header.
    private void ThrowIfUnsendable(HttpRequestMessage request, string display)
    {
        foreach ((string name, HeaderStringValues values) in request.Headers.NonValidated)
        {
            foreach (string value in values)
            {
                if (value.AsSpan().ContainsAnyExceptInRange(' ', '~') && value.Any(c => c != '\t' && (c is < ' ' or '\x7F' || (_isAscii && c > '~'))))
                {
                    throw new WeightSourceException(
                        display,
                        $"the request header {name} contains a line break, another control character or a non-ASCII character, which is not "
                            + "allowed; check the credentials, key or option that it comes from.");
                }
            }
        }
    }

    private static void SetRange(HttpRequestHeaders headers, RangeRequest range)
    {
        Set(headers, "Range", range.Range);
        Set(headers, "If-Match", range.IfMatch);

        // A compressed body has other offsets than the file.
        Set(headers, "Accept-Encoding", "identity");
    }

    private static void Set(HttpRequestHeaders headers, string name, string? value)
    {
        headers.Remove(name);
        if (value is not null)
        {
            headers.TryAddWithoutValidation(name, value);
        }
    }
}
