using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>Lets the requests of a loader in: one client, whose credentials keep their tokens fresh.</summary>
/// <param name="client">Address and credentials.</param>
/// <param name="guard">The loader's way to Google's library.</param>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class GcsLogin(GcsClient client, SdkGuard guard)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _busy = new(1, 1);

    public GcsClient Client => client;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        if (client.Credential is not { } credential)
        {
            return;
        }

        if (client.Endpoint.Scheme != Uri.UriSchemeHttps && !client.Endpoint.IsLoopback)
        {
            throw new WeightSourceException(
                display, "tokens are sent over http to this machine alone; give an https endpoint, or set GcsOptions.Anonymous.");
        }

        AccessTokenWithHeaders token = await guard.CallAsync(
            Token(display),
            stop => credential.GetAccessTokenWithHeadersForRequestAsync(client.Endpoint.AbsoluteUri, stop),
            cancellationToken).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The rest: the quota project.
        token.AddHeaders(request);
    }

    /// <summary>Has a new token fetched, where the refused request's is the newest there is.</summary>
    /// <returns>Whether there is another now.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, string display, CancellationToken cancellationToken)
    {
        object? credential = client.Credential is GoogleCredential wrapper ? wrapper.UnderlyingCredential : client.Credential;
        if (credential is not IHttpUnsuccessfulResponseHandler handler)
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
            return await guard.CallAsync(Token(display), _ => handler.HandleResponseAsync(refused), cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            _busy.Release();
        }
    }

    private SdkCall Token(string display) => new(display, client.Name)
    {
        Explain = static e => e.GetBaseException() is TokenResponseException refusal
            ? $"Google gives no token ({(int?)refusal.StatusCode}); check that they are not revoked, and this machine's clock"
            : "no token could be had",
        IsTransient = static e => e.GetBaseException() is TokenResponseException { StatusCode: { } status }
            ? status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
            : null,
    };
}
