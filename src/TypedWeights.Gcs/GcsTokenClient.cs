using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>Lets Google's library ask over the loader's connections, so that the loader's proxy and certificates count there too.</summary>
internal sealed class GcsTokenClient(StoreContext context) : HttpClientFactory
{
    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => new Connections(context);

    private sealed class Connections(StoreContext context) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            context.SendAsync(request, request.RequestUri!.GetLeftPart(UriPartial.Path), cancellationToken).AsTask();
    }
}
