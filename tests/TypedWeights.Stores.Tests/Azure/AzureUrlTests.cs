using System.Net.Sockets;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>The addresses of the public cloud, which lead to Azurite here: the connection is made there, the names are the real ones.</summary>
public sealed class AzureUrlTests : AzureTest
{
    private string Url => $"https://{AzuriteContainer.Account}.blob.core.windows.net/{Container.Name}/a%20b%23c%2B1/{NoiseFile.Name}";

    private protected override bool IsTls => true;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Container.PutAsync("a b#c+1/" + NoiseFile.Name, NoiseFile.Bytes);
    }

    [Fact]
    public async Task An_account_name_alone_means_the_public_cloud() =>
        await LoadAsync(Container.Uri(NoiseFile.Name), new() { SharedKey = AzuriteContainer.SharedKey });

    [Fact]
    public async Task A_URI_may_name_the_host_instead_of_the_account() => await LoadAsync(
        Container.Uri(NoiseFile.Name)
            .Replace(AzuriteContainer.Account, AzuriteContainer.Account + ".blob.core.windows.net", StringComparison.Ordinal),
        new() { SharedKey = AzuriteContainer.SharedKey });

    [Fact]
    public async Task A_blob_URL_is_read_with_credentials_only_when_BlobUrls_is_set()
    {
        await LoadAsync(Url, new() { SharedKey = AzuriteContainer.SharedKey, BlobUrls = true });
        await LoadAsync(Url[..Url.LastIndexOf('/')] + "/", new() { SharedKey = AzuriteContainer.SharedKey, BlobUrls = true });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync(Url, new() { SharedKey = AzuriteContainer.SharedKey }));
        Assert.StartsWith(Url, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_URL_with_its_own_signature_is_read_without_the_configured_credentials() => await LoadAsync(
        $"{Url}?{Container.Sign(TimeSpan.FromMinutes(5))}", new() { SharedKey = new(AzuriteContainer.Account, "d3Jvbmc="), BlobUrls = true });

    [Fact]
    public async Task URLs_of_other_servers_load_although_BlobUrls_is_set()
    {
        using var authority = new LocalAuthority();
        (string certificate, string key) = authority.Issue("127.0.0.1");
        using var server = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(certificate, key);
        await using FileServer other = await FileServer.StartAsync(server);
        other.Files["/" + NoiseFile.Name] = NoiseFile.Bytes;
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseHttp(new() { TrustedRoots = [authority.Root] })
            .UseAzureBlobs(new() { SharedKey = AzuriteContainer.SharedKey, BlobUrls = true })
            .Build();
        using WeightSet weights = await loader.LoadTensorsAsync(
            $"{other.Address}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private async Task LoadAsync(string uri, AzureBlobsOptions options)
    {
        int port = Container.Service.Port;
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(Quick)
            .UseHttp(new()
            {
                TrustedRoots = [Container.Root!],
                ConfigureHandler = handler => handler.ConnectCallback = async (context, token) =>
                {
                    Assert.Equal(AzuriteContainer.Account + ".blob.core.windows.net:443", $"{context.DnsEndPoint.Host}:{context.DnsEndPoint.Port}");
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync("127.0.0.1", port, token);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            })
            .UseAzureBlobs(options)
            .Build();
        using WeightSet weights = await loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }
}
