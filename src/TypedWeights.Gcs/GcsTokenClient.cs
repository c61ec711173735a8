using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>Lets Google's library ask for tokens over the loader's connections, so that its proxy and certificates count there too.</summary>
internal sealed class GcsTokenClient(StoreContext context) : HttpClientFactory
{
    /// <returns>The credentials; the same where their kind has a client of its own.</returns>
    public static GoogleCredential Use(StoreContext context, GoogleCredential credential)
    {
        try
        {
            return credential.CreateWithHttpClientFactory(new GcsTokenClient(context));
        }
        catch (InvalidOperationException)
        {
            return credential;
        }
    }

    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => new Connections(context);

    private sealed class Connections(StoreContext context) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            context.SendAsync(request, request.RequestUri!.GetLeftPart(UriPartial.Path), cancellationToken).AsTask();
    }
}
