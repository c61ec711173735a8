using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>The credentials for an account.</summary>
internal sealed class BlobCredentials
{
    private readonly Func<Uri, BlobServiceClient>? _client;

    private BlobCredentials(string name, Func<Uri, BlobServiceClient>? client) => (Name, _client) = (name, client);

    /// <summary>The credentials as messages may name them: "the key in AZURE_STORAGE_KEY".</summary>
    public string Name { get; }

    /// <summary>Whether they are tokens of Entra ID.</summary>
    public bool IsToken { get; private init; }

    /// <summary>Whether they are a shared access signature.</summary>
    public bool IsSignature { get; private init; }

    /// <summary>
    /// For the identity of the environment, which may have no token, as the container may be public: credentials that are set and are another
    /// account's, for errors; empty if there are none. null for all other credentials.
    /// </summary>
    public string? PassedOver { get; private init; }

    /// <summary>What they depend on, for the error of an SDK that cannot use them.</summary>
    public string Setting => PassedOver is null ? Name : BlobIdentity.Setting(PassedOver);

    public static BlobCredentials None(string name) => new(name, null);

    public static BlobCredentials Of(StorageSharedKeyCredential key, string name) => new(name, service => new BlobServiceClient(service, key));

    public static BlobCredentials Of(AzureSasCredential signature, string name) =>
        new(name, service => new BlobServiceClient(service, signature)) { IsSignature = true };

    /// <param name="credential">Returns the tokens.</param>
    /// <param name="name">As for <see cref="Name"/>.</param>
    /// <param name="passedOver">As for <see cref="PassedOver"/>.</param>
    public static BlobCredentials Of(TokenCredential credential, string name, string? passedOver = null) =>
        new(name, service => new BlobServiceClient(service, credential)) { IsToken = true, PassedOver = passedOver };

    /// <param name="connected">A client of a connection string, which has the key.</param>
    /// <param name="name">As for <see cref="Name"/>.</param>
    public static BlobCredentials Of(BlobServiceClient connected, string name) => new(name, _ => connected);

    /// <summary>Creates the signer of requests, which has no token cached; null if there are no credentials.</summary>
    /// <param name="service">The blob service's address.</param>
    public BlobSigner? CreateSigner(Uri service) => _client is null ? null : new BlobSigner(Sdk.PolicyOf(_client(service)));

    /// <summary>The SDK hands its authentication to classes derived from its client.</summary>
    private sealed class Sdk : BlobServiceClient
    {
        public static HttpPipelinePolicy PolicyOf(BlobServiceClient client) => GetAuthenticationPolicy(client);
    }
}
