using Azure.Core;
using Azure.Core.Pipeline;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// Lets the Azure SDK authorise a request that the library then sends itself: the SDK's pipeline runs with the authentication alone, over
/// a transport that sends nothing. So keys, signatures and tokens are the SDK's, and the bytes take the library's one way.
/// </summary>
internal sealed class BlobSigner(HttpPipelinePolicy policy)
{
    // What of a request the shared key signs, beside all x-ms-* headers.
    private static readonly string[] Signed = ["Range", "If-Match"];

    private readonly HttpPipeline _pipeline = new(new NoTransport(), [policy]);

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

        // A signature that was given goes out as it was given: Uri would tidy %7e and %41.
        var signed = new Uri(message.Request.Uri.ToString(), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        if (signed.Query != request.RequestUri!.Query)
        {
            request.RequestUri = signed;
        }
    }
}
