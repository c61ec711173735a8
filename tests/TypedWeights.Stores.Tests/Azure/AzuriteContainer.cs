using System.Security.Cryptography.X509Certificates;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>A container of its own on a real Azurite (tests/servers/azurite.sh), filled by Azure's own client.</summary>
internal sealed class AzuriteContainer : IAsyncDisposable
{
    public const string Account = "devstoreaccount1";

    // The key that Azurite is documented with.
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const string Script = "azurite.sh";

    private readonly HttpClient _http;
    private readonly BlobContainerClient _client;

    private AzuriteContainer(Uri service, X509Certificate2? root)
    {
        Service = service;
        Root = root;
        _http = new HttpClient(new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate?.Thumbprint == root?.Thumbprint,
        });
        var options = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2024_11_04) { Transport = new HttpClientTransport(_http) };
        _client = new BlobServiceClient(service, SharedKey, options).GetBlobContainerClient(Name);
    }

    public string Name { get; } = $"weights-{Guid.NewGuid():N}";

    /// <summary>The address with the account in its path.</summary>
    public Uri Service { get; }

    /// <summary>The certificate of the server over TLS.</summary>
    public X509Certificate2? Root { get; }

    public static StorageSharedKeyCredential SharedKey => new(Account, Key);

    public AzureBlobsOptions Options => new() { Endpoint = Service.AbsoluteUri.Replace(Account, "{account}", StringComparison.Ordinal) };

    public AzureBlobsOptions WithKey => Options with { SharedKey = SharedKey };

    /// <param name="tls">Whether the server that takes tokens is meant.</param>
    /// <param name="isPublic">Whether everybody may read the container's blobs.</param>
    public static async Task<AzuriteContainer> CreateAsync(bool tls = false, bool isPublic = false)
    {
        var container = tls
            ? new AzuriteContainer(
                new Uri(TestServer.Require("TYPEDWEIGHTS_TEST_AZURITE_TLS", Script)),
                X509CertificateLoader.LoadCertificateFromFile(TestServer.Require("TYPEDWEIGHTS_TEST_AZURITE_ROOT", Script)))
            : new AzuriteContainer(new Uri(TestServer.Require("TYPEDWEIGHTS_TEST_AZURITE", Script)), null);
        await container._client.CreateAsync(
            isPublic ? PublicAccessType.Blob : PublicAccessType.None, cancellationToken: TestContext.Current.CancellationToken);
        return container;
    }

    public string Uri(string blob) => $"az://{Account}/{Name}/{blob}";

    public async Task PutAsync(string blob, byte[] bytes) => await _client.GetBlobClient(blob)
        .UploadAsync(new BinaryData(bytes), overwrite: true, TestContext.Current.CancellationToken);

    /// <summary>Takes a blob's snapshot.</summary>
    /// <returns>Its time, which is its name.</returns>
    public async Task<string> SnapshotAsync(string blob) =>
        (await _client.GetBlobClient(blob).CreateSnapshotAsync(cancellationToken: TestContext.Current.CancellationToken)).Value.Snapshot;

    public Task DeleteAsync(string blob) => _client.GetBlobClient(blob).DeleteAsync(cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>A signature for the container.</summary>
    public string Sign(TimeSpan life, BlobContainerSasPermissions permissions = BlobContainerSasPermissions.Read) =>
        _client.GenerateSasUri(permissions, DateTimeOffset.UtcNow + life).Query.TrimStart('?');

    /// <summary>A signature for reading that is bound to a policy of the container.</summary>
    /// <param name="policy">The name of the policy, which is valid now.</param>
    public async Task<string> SignByPolicyAsync(string policy)
    {
        await SetPolicyAsync(policy, TimeSpan.FromMinutes(5));
        return _client.GenerateSasUri(new BlobSasBuilder { BlobContainerName = Name, Resource = "c", Identifier = policy }).Query.TrimStart('?');
    }

    /// <summary>Makes the signatures of a policy expire.</summary>
    public Task ExpireAsync(string policy) => SetPolicyAsync(policy, TimeSpan.FromMinutes(-5));

    private async Task SetPolicyAsync(string policy, TimeSpan life) => await _client.SetAccessPolicyAsync(
        PublicAccessType.None,
        [new() { Id = policy, AccessPolicy = new() { Permissions = "r", PolicyExpiresOn = DateTimeOffset.UtcNow + life } }],
        cancellationToken: TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }
}
