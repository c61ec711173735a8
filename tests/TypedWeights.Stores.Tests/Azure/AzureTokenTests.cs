using Azure.Identity;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Tokens of Entra ID: Azure's own library gets them, Azurite checks audience, issuer and time over TLS.</summary>
public sealed class AzureTokenTests : AzureTest
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(6);

    private string Uri => Container.Uri(NoiseFile.Name);

    private protected override bool IsTls => true;

    // Azure's library keeps the tokens of an identity for the whole process: each test has one of its own.
    private static ManagedIdentityCredential AnIdentity() => new(ManagedIdentityId.FromUserAssignedClientId(Guid.NewGuid().ToString()));

    [Fact]
    public async Task The_default_identity_is_found_and_asked_once()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();
        await AssertLoadsAsync(Uri, Container.Options);
        Assert.Single(identity.Tokens);
    }

    [Fact]
    public async Task A_token_whose_time_is_over_is_renewed_in_the_middle_of_a_load()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();
        identity.Life = Short;
        await AssertLoadsAsync(
            Uri,
            Container.Options with { Credential = AnIdentity() },
            () => Thread.Sleep(7500));
        Assert.True(identity.Tokens.Count > 1);
    }

    [Fact]
    public async Task A_token_that_is_refused_before_its_time_is_exchanged_once_for_all_requests()
    {
        var credential = new IdentityFixture.Revoked(Short, Long);
        await AssertLoadsAsync(Uri, Container.Options with { Credential = credential }, () => Thread.Sleep(7500));
        Assert.Equal(2, credential.Given);
    }

    [Fact]
    public async Task A_token_that_is_refused_and_has_no_successor_ends_the_load()
    {
        var credential = new IdentityFixture.Revoked(TimeSpan.FromSeconds(-30));
        Secrets.Add(IdentityFixture.Token(Long).Split('.')[1][..20]);
        WeightSourceException error = await AssertFailsAsync(
            "the token of the identity of AzureBlobsOptions.Credential \\(Revoked\\) has expired",
            Uri,
            Container.Options with { Credential = credential });
        Assert.False(error.IsTransient);
        Assert.All(credential.Tokens, token => Assert.DoesNotContain(token, error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_identity_that_gives_no_token_is_named()
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        using Variables environment = identity.Environment();
        identity.Refuses = true;
        Secrets.Add("identity-header-s3cret");
        await AssertFailsAsync(
            "\\(ManagedIdentityCredential\\): ManagedIdentityCredential has no token to give. The SDK says: ",
            Uri,
            Container.Options with { Credential = AnIdentity() });
    }

    [Fact]
    public async Task Where_there_is_no_identity_public_containers_are_read_all_the_same()
    {
        // Of all that it would try only the variables, which are not there.
        using var chain = new Variables(("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential"));
        await AssertFailsAsync("DefaultAzureCredential found none: log in with az login", Uri, Container.Options);
        await using AzuriteContainer open = await AzuriteContainer.CreateAsync(tls: true, isPublic: true);
        await open.PutAsync(NoiseFile.Name, NoiseFile.Bytes);
        await AssertLoadsAsync(open.Uri(NoiseFile.Name), Container.Options);
    }

    [Fact]
    public async Task Tokens_are_sent_over_https_alone()
    {
        await using AzuriteContainer plain = await AzuriteContainer.CreateAsync();
        await AssertFailsAsync(
            "https addresses alone", plain.Uri(NoiseFile.Name), plain.Options with { Credential = new IdentityFixture.Revoked(Long) });
    }
}
