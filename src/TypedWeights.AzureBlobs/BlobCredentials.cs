using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>One way to be let into an account.</summary>
internal abstract record BlobCredentials
{
    /// <summary>Which one, as it may be shown: "the shared key of AZURE_STORAGE_KEY".</summary>
    public required string Name { get; init; }

    /// <summary>What it depends on, for the error of an SDK that cannot use it.</summary>
    public virtual string Setting => Name;

    /// <summary>The SDK's own part that authorises a request by it; a new one has nothing cached. null for none.</summary>
    /// <param name="service">The blob service's address.</param>
    public abstract HttpPipelinePolicy? CreatePolicy(Uri service);

    /// <summary>No credentials.</summary>
    internal sealed record Nobody : BlobCredentials
    {
        public override HttpPipelinePolicy? CreatePolicy(Uri service) => null;
    }

    /// <summary>The account's key.</summary>
    internal sealed record Key(Azure.Storage.StorageSharedKeyCredential Credential) : BlobCredentials
    {
        public override HttpPipelinePolicy? CreatePolicy(Uri service) => Sdk.PolicyOf(new BlobServiceClient(service, Credential));
    }

    /// <summary>A shared access signature.</summary>
    internal sealed record Signature(Azure.AzureSasCredential Credential) : BlobCredentials
    {
        public override HttpPipelinePolicy? CreatePolicy(Uri service) => Sdk.PolicyOf(new BlobServiceClient(service, Credential));
    }

    /// <summary>Tokens of Entra ID.</summary>
    /// <param name="Credential">Gives them.</param>
    /// <param name="IsOptional">Whether it is no error that there are none: the container may be public.</param>
    internal sealed record Token(Azure.Core.TokenCredential Credential, bool IsOptional = false) : BlobCredentials
    {
        /// <summary>Credentials that are set and are another account's, for errors; empty where there are none.</summary>
        public string PassedOver { get; init; } = "";

        public override string Setting => IsOptional ? BlobIdentity.Setting(PassedOver) : Name;

        public override HttpPipelinePolicy? CreatePolicy(Uri service) => Sdk.PolicyOf(new BlobServiceClient(service, Credential));
    }

    /// <summary>Whatever a connection string holds beside a signature: the key.</summary>
    internal sealed record Connection(string Text) : BlobCredentials
    {
        public override HttpPipelinePolicy? CreatePolicy(Uri service) => Sdk.PolicyOf(new BlobServiceClient(Text));

        // A record prints its properties.
        public override string ToString() => Name;
    }

    /// <summary>The SDK hands its authentication to classes derived from its client.</summary>
    private sealed class Sdk : BlobServiceClient
    {
        public static HttpPipelinePolicy PolicyOf(BlobServiceClient client) => GetAuthenticationPolicy(client);
    }
}
