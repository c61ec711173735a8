using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Identity;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Tokens that the service refuses in the middle of a load. Azurite cannot revoke a token; a stand-in (Kestrel) can.</summary>
public sealed class AzureRenewalTests : IAsyncLifetime
{
    private readonly LocalAuthority _authority = new();
    private readonly HashSet<string> _seen = [];
    private readonly HashSet<string> _revoked = [];
    private FileServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        (string certificate, string key) = _authority.Issue("127.0.0.1");
        _server = await FileServer.StartAsync(X509Certificate2.CreateFromPem(certificate, key));
        _server.Files["/weights/model.safetensors"] = NoiseFile.Bytes;
        _server.Intercept = context =>
        {
            string token = context.Request.Headers.Authorization.ToString();
            lock (_seen)
            {
                _seen.Add(token);
                if (token.StartsWith("Bearer ", StringComparison.Ordinal) && !_revoked.Contains(token))
                {
                    return Task.FromResult(false);
                }
            }

            context.Response.StatusCode = 401;
            context.Response.Headers["x-ms-error-code"] = "InvalidAuthenticationInfo";
            return Task.FromResult(true);
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_refused_token_of_an_identity_is_renewed()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();

        // Azure's library takes such a token and requests a new one for the next pipeline.
        identity.Life = TimeSpan.FromMinutes(4);
        await LoadAsync(new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(Guid.NewGuid().ToString())));
        Assert.True(identity.Tokens.Count > 1);
    }

    [Fact]
    public async Task A_refused_token_is_replaced_once_for_all_requests()
    {
        var credential = new IdentityFixture.OwnCredential(TimeSpan.FromHours(1));
        await LoadAsync(credential);
        Assert.Equal(2, credential.Tokens.Count);
    }

    private async Task LoadAsync(TokenCredential credential)
    {
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(new() { MinConnections = 4, MaxConnections = 4, PartSize = 512 << 10 })
            .UseHttp(new() { TrustedRoots = [_authority.Root] })
            .UseAzureBlobs(new() { Endpoint = _server.Address, Credential = credential })
            .Build();
        using WeightSet weights = await loader.LoadTensorsAsync(
            "az://account/weights/model.safetensors", AfterHeader.Call(Revoke), cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private void Revoke()
    {
        lock (_seen)
        {
            _revoked.UnionWith(_seen);
        }
    }
}
