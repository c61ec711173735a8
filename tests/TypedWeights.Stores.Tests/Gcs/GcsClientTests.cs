using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>A client that the application has already: what it was built with is what the loads use.</summary>
public sealed class GcsClientTests : GcsTest
{
    private static string Model => Uri(NoiseFile.Name);

    private GoogleCredential Credential => CredentialFactory
        .FromJson(Tokens.KeyFile, JsonCredentialParameters.ServiceAccountCredentialType)
        .CreateScoped("https://www.googleapis.com/auth/devstorage.read_only");

    [Theory]
    [InlineData("storage/v1/")]
    [InlineData("")]
    public async Task Its_base_uri_is_asked_with_the_token_that_it_has(string path)
    {
        GoogleCredential credential = Credential;
        using StorageClient client = new StorageClientBuilder { BaseUri = Store.Address + path, Credential = credential }.Build();
        await ((ITokenAccess)credential).GetAccessTokenForRequestAsync(cancellationToken: TestContext.Current.CancellationToken);

        await AssertLoadsAsync(Model, new GcsOptions { Client = client });

        Assert.Equal(["jwt"], Tokens.Kinds);
        Assert.All(Store.Requests, request => Assert.Equal("jwt", request.Kind));
    }

    [Fact]
    public async Task Its_token_is_renewed_where_it_is_refused()
    {
        using StorageClient client = new StorageClientBuilder { BaseUri = Store.Address.AbsoluteUri, Credential = Credential }.Build();
        await AssertLoadsAsync(Model, new GcsOptions { Client = client }, afterHeader: Tokens.Revoke);
        Assert.Equal(["jwt", "jwt"], Tokens.Kinds);
    }

    [Fact]
    public async Task Its_quota_project_is_named_unless_the_options_name_another()
    {
        using StorageClient client = new StorageClientBuilder
        {
            BaseUri = Store.Address.AbsoluteUri,
            Credential = Credential.CreateWithQuotaProject("quota-project"),
        }.Build();
        await AssertLoadsAsync(Model, new GcsOptions { Client = client });
        Assert.All(Store.Requests, request => Assert.Equal("quota-project", request.Project));

        Store.Requests.Clear();
        await AssertLoadsAsync(Model, new GcsOptions { Client = client, UserProject = "payer" });
        Assert.All(Store.Requests, request => Assert.Equal("payer", request.Project));
    }

    [Fact]
    public async Task A_credential_that_is_no_GoogleCredential_is_used_and_named_too()
    {
        var account = (ServiceAccountCredential)Credential.UnderlyingCredential;
        using StorageClient client = new StorageClientBuilder { BaseUri = Store.Address.AbsoluteUri, Credential = account }.Build();
        await AssertLoadsAsync(Model, new GcsOptions { Client = client });
        Store.Forbids = true;
        await AssertFailsAsync(
            $"the credentials of GcsOptions.Client \\(service account {TokenFixture.Email}\\): ", Model, new GcsOptions { Client = client });
    }

    [Fact]
    public async Task Without_credentials_it_reads_what_is_public()
    {
        using StorageClient client = new StorageClientBuilder { BaseUri = Store.Address.AbsoluteUri, UnauthenticatedAccess = true }.Build();
        await AssertFailsAsync("no credentials \\(GcsOptions.Client has none\\)", Model, new GcsOptions { Client = client });
        Store.IsPublic = true;
        await AssertLoadsAsync(Model, new GcsOptions { Client = client });
    }

    [Fact]
    public async Task A_login_without_tokens_is_an_error_and_no_anonymous_read()
    {
        Store.IsPublic = true;
        using StorageClient client = new StorageClientBuilder
        {
            BaseUri = Store.Address.AbsoluteUri,
            ApiKey = "s3cret",
            QuotaProject = "quota-project",
        }.Build();
        await AssertFailsAsync(
            "Google Cloud Storage cannot use GcsOptions.Client: .*tokens or no credentials.* does not provide tokens",
            Model,
            new GcsOptions { Client = client });
        Assert.Empty(Store.Requests);
    }

    [Theory]
    [InlineData("storage")]
    [InlineData("ftp://storage.example.com/")]
    public async Task A_base_uri_that_is_no_http_address_is_an_error_of_the_client(string address)
    {
        using StorageClient client = new StorageClientBuilder { BaseUri = address, UnauthenticatedAccess = true }.Build();
        await AssertFailsAsync(
            "Google Cloud Storage cannot use GcsOptions.Client: it must have an http or https base URI",
            Model,
            new GcsOptions { Client = client });
    }
}
