using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using TypedWeights.Errors;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>Sends single requests over a loader's connections: one pool for each origin. It follows nothing and repeats nothing.</summary>
internal sealed class HttpChannel : IDisposable
{
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
        SocketsHttpHandler handler = HttpHandler.Create(options);
        _proxy = handler.UseProxy ? handler.Proxy ?? HttpClient.DefaultProxy : null;

        // A program may have set HttpClient.DefaultProxy itself; only where .NET made it, it comes from the variables.
        bool isOfEnvironment = handler.UseProxy && handler.Proxy is null && _proxy?.GetType().Assembly == typeof(HttpClient).Assembly;
        _proxyFaults = new(() => isOfEnvironment
            ? (ProxyVariables.Fault("http", Environment.GetEnvironmentVariable), ProxyVariables.Fault("https", Environment.GetEnvironmentVariable))
            : (null, null));
        _isAscii = handler.RequestHeaderEncodingSelector is null;
        _connections = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Sends one request for bytes of a file.</summary>
    /// <param name="address">Where to; without user info.</param>
    /// <param name="ask">What for.</param>
    /// <param name="isOwn">Whether the address lies in the origin that the file's authorisation is for.</param>
    /// <param name="redirected">The request whose redirect led there; null for none.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The answer, whatever it is; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No answer came, or a header cannot be sent.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(
        Uri address, RangeRequest ask, bool isOwn, HttpRequestMessage? redirected, StoreFile file, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (redirected is not null)
        {
            request.Options.Set(RequestSecrets.RedirectedKey, redirected);
        }

        SetAsk(request.Headers, ask);
        if (isOwn)
        {
            if (ask.IsAgain)
            {
                request.Options.Set(StoreFile.IsAgainKey, true);
            }

            await file.AuthorizeAsync(request, cancellationToken).ConfigureAwait(false);

            // Whatever was added: other ranges than those asked for, or compressed ones, would be wrong bytes.
            SetAsk(request.Headers, ask);
        }

        if (!request.Headers.NonValidated.Contains("User-Agent"))
        {
            request.Headers.TryAddWithoutValidation("User-Agent", "TypedWeights");
        }

        if (OperatingSystem.IsLinux())
        {
            ThriftyStream.Expect(ask.Length);
        }

        return await SendAsync(request, file.Display, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends any request.</summary>
    /// <param name="request">The request, complete.</param>
    /// <param name="display">What is asked about, as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The answer, whatever it is; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No answer came.</exception>
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
            HttpResponseMessage answer = await _connections.SendAsync(request, cancellationToken).ConfigureAwait(false);

            // Under TLS, what a proxy says is no answer to the request: this is the server's, as it is where there is no proxy.
            if (answer.StatusCode != HttpStatusCode.ProxyAuthenticationRequired || isTls || ProxyFor(request.RequestUri) is null)
            {
                return answer;
            }

            answer.Dispose();
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

    private Uri? ProxyFor(Uri address) =>
        _proxy is not null && !_proxy.IsBypassed(address) && _proxy.GetProxy(address) is { } proxy && proxy != address ? proxy : null;

    // .NET reads it at the first certificate, and waits for a pipe for ever.
    private static string? AuthoritiesFault()
    {
        const string Variable = "SSL_CERT_FILE";
        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path && SmallFile.Refuse(path) is { } reason
            ? $"the certificates of authorities in {path} ({Variable}) cannot be read: {reason}."
            : null;
    }

    // A line break would begin a header of its own, which whoever wrote the login never meant.
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
                        $"the header {name} of the request has a line break, another control character or a letter beyond ASCII in it, which no "
                            + "header may have; check the login, key or option that it comes from.");
                }
            }
        }
    }

    private static void SetAsk(HttpRequestHeaders headers, RangeRequest ask)
    {
        Set(headers, "Range", ask.Range);
        Set(headers, "If-Match", ask.IfMatch);

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
