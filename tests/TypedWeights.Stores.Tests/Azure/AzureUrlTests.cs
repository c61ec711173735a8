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
    public async Task The_account_alone_names_the_public_cloud() =>
        await LoadAsync(Container.Uri(NoiseFile.Name), new() { SharedKey = AzuriteContainer.SharedKey });

    [Fact]
    public async Task A_host_may_stand_for_the_account() => await LoadAsync(
        Container.Uri(NoiseFile.Name)
            .Replace(AzuriteContainer.Account, AzuriteContainer.Account + ".blob.core.windows.net", StringComparison.Ordinal),
        new() { SharedKey = AzuriteContainer.SharedKey });

    [Fact]
    public async Task A_url_of_a_blob_is_read_with_credentials_where_that_is_asked_for()
    {
        await LoadAsync(Url, new() { SharedKey = AzuriteContainer.SharedKey, BlobUrls = true });
        await LoadAsync(Url[..Url.LastIndexOf('/')] + "/", new() { SharedKey = AzuriteContainer.SharedKey, BlobUrls = true });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync(Url, new() { SharedKey = AzuriteContainer.SharedKey }));
        Assert.StartsWith(Url, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_url_with_a_signature_of_its_own_is_one_like_any_other() => await LoadAsync(
        $"{Url}?{Container.Sign(TimeSpan.FromMinutes(5))}", new() { SharedKey = new(AzuriteContainer.Account, "d3Jvbmc="), BlobUrls = true });

    [Fact]
    public async Task Other_urls_are_read_as_ever()
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
