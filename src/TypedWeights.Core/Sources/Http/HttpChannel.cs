using System.Net.Http.Headers;
using System.Text;

namespace TypedWeights.Sources.Http;

/// <summary>Sends single requests over the provider's connections. It follows nothing and repeats nothing.</summary>
internal sealed class HttpChannel : IDisposable
{
    private readonly HttpMessageInvoker _connections;
    private readonly HttpSourceOptions _options;

    /// <param name="options">How servers are reached.</param>
    public HttpChannel(HttpSourceOptions options)
    {
        options.Validate();
        _options = options;
        _connections = new HttpMessageInvoker(HttpHandler.Create(options), disposeHandler: true);
    }

    /// <summary>The basic authentication that a URL's user info stands for, or null.</summary>
    public static AuthenticationHeaderValue? Login(Uri address) => address.UserInfo.Length == 0
        ? null
        : new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(UserAndPassword(address.UserInfo)))));

    /// <summary>Sends one request.</summary>
    /// <param name="address">Where to; without user info.</param>
    /// <param name="ask">What for.</param>
    /// <param name="isOwn">Whether the address lies in the origin that logins and the user's headers are for.</param>
    /// <param name="login">What the URL's user info stands for; it comes before the callback.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The answer, whatever it is; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No answer came.</exception>
    public async ValueTask<HttpResponseMessage> SendAsync(
        Uri address, HttpAsk ask, bool isOwn, AuthenticationHeaderValue? login, string display, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (isOwn)
        {
            await AddOwnAsync(request, login, cancellationToken).ConfigureAwait(false);
        }

        AddCommon(request.Headers, ask);
        if (OperatingSystem.IsLinux())
        {
            ThriftyStream.Expect(ask.Length);
        }

        try
        {
            return await _connections.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw TransportFailure.Of(e, display);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw TransportFailure.TimedOut(e, display);
        }
    }

    public void Dispose() => _connections.Dispose();

    private async ValueTask AddOwnAsync(HttpRequestMessage request, AuthenticationHeaderValue? login, CancellationToken cancellationToken)
    {
        Uri address = request.RequestUri!;
        _options.Headers?.Invoke(address, request.Headers);
        if (login is not null)
        {
            request.Headers.Authorization = login;
        }
        else if (_options.Authorization is { } authorization)
        {
            request.Headers.Authorization =
                await authorization(address, cancellationToken).ConfigureAwait(false) ?? request.Headers.Authorization;
        }
    }

    // A name alone, often a token, has an empty password: without the colon it is no login at all.
    private static string UserAndPassword(string userInfo) => userInfo.Contains(':', StringComparison.Ordinal) ? userInfo : userInfo + ":";

    private static void AddCommon(HttpRequestHeaders headers, HttpAsk ask)
    {
        Set(headers, "Range", ask.Range);
        Set(headers, "If-Match", ask.IfMatch);

        // A compressed body has other offsets than the file.
        Set(headers, "Accept-Encoding", "identity");
        if (!headers.NonValidated.Contains("User-Agent"))
        {
            headers.TryAddWithoutValidation("User-Agent", "TypedWeights");
        }
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
