using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>The credentials of a loader, looked up once by Google's library, which keeps their tokens fresh.</summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class GcsLogin(StoreContext context, GoogleCredential? given, string? anonymity, Uri endpoint)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _busy = new(1, 1);
    private readonly SdkGuard _guard = new(context, "Google Cloud Storage");
    private readonly Lock _lock = new();
    private Task<GcsCredentials>? _search;

    /// <summary>Which credentials they are, as it may be shown.</summary>
    public string Name => Found?.Name ?? "no credentials";

    /// <summary>Whether requests are sent without credentials.</summary>
    public bool IsAnonymous => Found?.Value is null;

    private GcsCredentials? Found => Volatile.Read(ref _search) is { IsCompletedSuccessfully: true } search ? search.Result : null;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        GcsCredentials found = Found
            ?? await _guard.CallAsync(GcsCredentials.Search(display), _ => Search(), cancellationToken).ConfigureAwait(false);
        if (found.Value is not { } credential)
        {
            return;
        }

        if (endpoint.Scheme != Uri.UriSchemeHttps && !endpoint.IsLoopback)
        {
            throw new WeightSourceException(
                display, "tokens are sent over http to this machine alone; give an https endpoint, or set GcsOptions.Anonymous.");
        }

        AccessTokenWithHeaders token = await _guard.CallAsync(
            Token(display, found.Name),
            stop => ((ITokenAccessWithHeaders)credential).GetAccessTokenWithHeadersForRequestAsync(endpoint.AbsoluteUri, stop),
            cancellationToken).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The rest: the quota project.
        token.AddHeaders(request);
    }

    /// <summary>Has a new token fetched, where the refused request's is the newest there is.</summary>
    /// <returns>Whether there is another now.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, string display, CancellationToken cancellationToken)
    {
        if (Found is not { Value.UnderlyingCredential: IHttpUnsuccessfulResponseHandler handler } found)
        {
            return false;
        }

        // One at a time: for whoever waited, the token is another one already.
        await _busy.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var refused = new HandleUnsuccessfulResponseArgs
            {
                Request = refusal.RequestMessage,
                Response = refusal,
                TotalTries = 1,
                CurrentFailedTry = 1,
                CancellationToken = cancellationToken,
            };
            return await _guard.CallAsync(Token(display, found.Name), _ => handler.HandleResponseAsync(refused), cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            _busy.Release();
        }
    }

    // One search for all who wait, whoever of them gives up.
    private Task<GcsCredentials> Search()
    {
        lock (_lock)
        {
            if (_search is null or { IsFaulted: true })
            {
                _search = anonymity is not null ? Task.FromResult(new GcsCredentials(null, $"no credentials ({anonymity})"))
                    : given is not null ? Task.Run(() => GcsCredentials.Of(given))
                    : Task.Run(() => GcsCredentials.FindAsync(context));
            }

            return _search;
        }
    }

    private static SdkCall Token(string display, string name) => new(display, name)
    {
        Explain = static e => e.GetBaseException() is TokenResponseException refusal
            ? $"Google gives no token ({(int?)refusal.StatusCode}); check that they are not revoked, and this machine's clock"
            : "no token could be had",
        IsTransient = static e => e.GetBaseException() is TokenResponseException { StatusCode: { } status }
            ? status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
            : null,
    };
}
