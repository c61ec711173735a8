using System.Net;
using Azure.Core;
using Azure.Core.Pipeline;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// Lets the Azure SDK authorise a request that the library then sends itself: the SDK's pipeline runs with its authentication alone, over
/// a handler that sends nothing. So keys, signatures and tokens are the SDK's, and the bytes take the library's one way.
/// </summary>
internal sealed class BlobSigner(HttpPipelinePolicy policy)
{
    // The headers that the shared key signs, beside all x-ms-* headers.
    private static readonly string[] Signed = ["Range", "If-Match"];

    private readonly HttpPipeline _pipeline = new(new HttpClientTransport(new Nowhere()), [policy]);

    public async ValueTask SignAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpMessage message = _pipeline.CreateMessage();
        message.Request.Method = RequestMethod.Get;
        message.Request.Uri.Reset(request.RequestUri!);
        foreach ((string name, System.Net.Http.Headers.HeaderStringValues values) in request.Headers.NonValidated)
        {
            if (Signed.Contains(name) || name.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))
            {
                message.Request.Headers.Add(name, values.ToString());
            }
        }

        await _pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        foreach (HttpHeader header in message.Request.Headers)
        {
            if (!request.Headers.NonValidated.Contains(header.Name))
            {
                request.Headers.TryAddWithoutValidation(header.Name, header.Value);
            }
        }

        // A signature goes out as it was given: Uri would tidy %7e and %41.
        Uri signed = StoreSetting.Exact(message.Request.Uri.ToString());
        if (signed.Query != request.RequestUri!.Query)
        {
            request.RequestUri = signed;
        }
    }

    private sealed class Nowhere : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }
}
