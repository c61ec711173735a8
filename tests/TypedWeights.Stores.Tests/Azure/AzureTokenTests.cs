using Azure.Identity;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Tokens of Entra ID: Azure's own library gets them, Azurite checks audience, issuer and time over TLS.</summary>
public sealed class AzureTokenTests : AzureTest
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private string Uri => Container.Uri(NoiseFile.Name);

    private protected override bool IsTls => true;

    // Azure's library keeps the tokens of an identity for the whole process: each test has one of its own.
    private static ManagedIdentityCredential AnIdentity() => new(ManagedIdentityId.FromUserAssignedClientId(Guid.NewGuid().ToString()));

    [Fact]
    public async Task The_default_identity_is_found_and_requests_one_token()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();
        await AssertLoadsAsync(Uri, Container.Options);
        Assert.Single(identity.Tokens);
    }

    [Fact]
    public async Task A_refused_token_that_cannot_be_replaced_ends_the_load()
    {
        var credential = new IdentityFixture.OwnCredential(TimeSpan.FromSeconds(-30));
        Secrets.Add(IdentityFixture.Token(Long).Split('.')[1][..20]);
        WeightSourceException error = await AssertFailsAsync(
            "the token of the identity of AzureBlobsOptions.Credential \\(OwnCredential\\) has expired",
            Uri,
            Container.Options with { Credential = credential });
        Assert.False(error.IsTransient);
        Assert.All(credential.Tokens, token => Assert.DoesNotContain(token, error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_identity_without_a_token_is_an_error_that_names_the_identity()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();
        identity.Refuses = true;
        Secrets.Add("identity-header-s3cret");
        await AssertFailsAsync(
            "\\(ManagedIdentityCredential\\): ManagedIdentityCredential did not return a token. The SDK says: ",
            Uri,
            Container.Options with { Credential = AnIdentity() });
    }

    [Fact]
    public async Task Public_containers_are_read_without_an_identity()
    {
        // Of all that it would try only the variables, which are not there.
        using var chain = new Variables(("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential"));
        await AssertFailsAsync("DefaultAzureCredential found no credentials: log in with az login", Uri, Container.Options);
        await using AzuriteContainer open = await AzuriteContainer.CreateAsync(tls: true, isPublic: true);
        await open.PutAsync(NoiseFile.Name, NoiseFile.Bytes);
        await AssertLoadsAsync(open.Uri(NoiseFile.Name), Container.Options);
    }

    [Fact]
    public async Task Tokens_are_not_sent_over_plain_http()
    {
        await using AzuriteContainer plain = await AzuriteContainer.CreateAsync();
        await AssertFailsAsync(
            "only to https addresses", plain.Uri(NoiseFile.Name), plain.Options with { Credential = new IdentityFixture.OwnCredential(Long) });
    }
}
