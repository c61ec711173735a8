using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>The credentials of a loader, looked up once by Google's library, which keeps their tokens fresh.</summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class GcsLogin(StoreContext context, GoogleCredential? given, bool isAnonymous, Uri endpoint)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _busy = new(1, 1);
    private GcsCredentials? _found;

    /// <summary>Which credentials they are, as it may be shown.</summary>
    public string Name => Volatile.Read(ref _found)?.Name ?? "no credentials";

    /// <summary>Whether requests are sent without credentials.</summary>
    public bool IsAnonymous => Volatile.Read(ref _found)?.Value is null;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        GcsCredentials found = Volatile.Read(ref _found) ?? await FindAsync(display, cancellationToken).ConfigureAwait(false);
        if (found.Value is not { } credential)
        {
            return;
        }

        if (endpoint.Scheme != Uri.UriSchemeHttps && !endpoint.IsLoopback)
        {
            throw new WeightSourceException(
                display, "tokens are sent over http to this machine alone; give an https endpoint, or set GcsOptions.Anonymous.");
        }

        AccessTokenWithHeaders token = await TellAsync(
            async () => await ((ITokenAccessWithHeaders)credential)
                .GetAccessTokenWithHeadersForRequestAsync(endpoint.AbsoluteUri, cancellationToken).ConfigureAwait(false),
            found.Name,
            display).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The rest: the quota project.
        token.AddHeaders(request);
    }

    /// <summary>Has a new token fetched, where the refused request's is the newest there is.</summary>
    /// <returns>Whether there is another now.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, string display, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _found) is not { Value.UnderlyingCredential: IHttpUnsuccessfulResponseHandler handler } found)
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
            return await TellAsync(() => handler.HandleResponseAsync(refused), found.Name, display).ConfigureAwait(false);
        }
        finally
        {
            _busy.Release();
        }
    }

    private async ValueTask<GcsCredentials> FindAsync(string display, CancellationToken cancellationToken)
    {
        await _busy.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_found is null)
            {
                GcsCredentials found = isAnonymous ? new GcsCredentials(null, "no credentials, as it was told to")
                    : given is not null ? GcsCredentials.Of(given)
                    : await GcsCredentials.FindAsync(context, display, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _found, found);
            }

            return _found!;
        }
        finally
        {
            _busy.Release();
        }
    }

    private static async Task<T> TellAsync<T>(Func<Task<T>> ask, string name, string display)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (TokenResponseException e)
        {
            throw new WeightSourceException(
                display,
                $"Google gives no token for {name} ({(int?)e.StatusCode} {e.Error?.Error} {e.Error?.ErrorDescription}); "
                    + "check that they are not revoked, and this machine's clock.",
                isTransient: e.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError);
        }
        catch (Exception e) when (e is not (WeightSourceException or OperationCanceledException))
        {
            // The library has no one type for what goes wrong: a server that is not there, and an answer of it that is no JSON.
            throw new WeightSourceException(
                display, $"no token could be had for {name}: the server that gives them is not there, or answers something else.",
                isTransient: true,
                innerException: e);
        }
    }
}
