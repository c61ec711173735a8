using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>Authorises the requests of a loader: one client, whose credentials keep their tokens fresh.</summary>
/// <param name="client">Address and credentials.</param>
/// <param name="guard">Calls Google's library.</param>
internal sealed class GcsCredentials(GcsClient client, SdkGuard guard)
{
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
                display, "tokens are sent over http only to this machine; use an https endpoint, or set GcsOptions.Anonymous.");
        }

        AccessTokenWithHeaders token = await guard.CallAsync(
            Token(display),
            stop => credential.GetAccessTokenWithHeadersForRequestAsync(client.Endpoint.AbsoluteUri, stop),
            cancellationToken).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The rest: the quota project.
        token.AddHeaders(request);
    }

    /// <summary>Fetches a new token if the refused request had the newest one.</summary>
    /// <returns>Whether there is another token now.</returns>
    public ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, string display, CancellationToken cancellationToken)
    {
        object? credential = client.Credential is GoogleCredential wrapper ? wrapper.UnderlyingCredential : client.Credential;
        var refused = new HandleUnsuccessfulResponseArgs
        {
            Request = errorResponse.RequestMessage,
            Response = errorResponse,
            TotalTries = 1,
            CurrentFailedTry = 1,
            CancellationToken = cancellationToken,
        };
        return credential is not IHttpUnsuccessfulResponseHandler handler ? new(false) : guard.RenewAsync(
            () => guard.CallAsync(Token(display), _ => handler.HandleResponseAsync(refused), cancellationToken), cancellationToken);
    }

    private SdkCall Token(string display) => new(display, client.Name)
    {
        Explain = static e => e.GetBaseException() is TokenResponseException errorResponse
            ? $"Google did not issue a token ({(int?)errorResponse.StatusCode}); check that they are not revoked, and this machine's clock"
            : "no token could be obtained",
        IsTransient = static e => e.GetBaseException() is TokenResponseException { StatusCode: { } status }
            ? status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
            : null,
    };
}
