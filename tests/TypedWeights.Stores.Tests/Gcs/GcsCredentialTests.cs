using Google.Apis.Auth.OAuth2;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>Who may read: Google's own library signs for tokens, the endpoint verifies, the fixture checks what it gave.</summary>
public sealed class GcsCredentialTests : GcsTest
{
    private static string Model => Uri(NoiseFile.Name);

    [Fact]
    public async Task A_service_account_requests_one_token_for_a_load()
    {
        await AssertLoadsAsync(Model);
        Assert.Equal(["jwt"], Tokens.Kinds);
        Assert.All(Store.Requests, request => Assert.Equal("jwt", request.Kind));
    }

    [Fact]
    public async Task A_token_that_is_refused_during_a_load_is_replaced_once_for_all_requests()
    {
        await AssertLoadsAsync(Model, afterHeader: Tokens.Revoke);
        Assert.Equal(["jwt", "jwt"], Tokens.Kinds);
    }

    [Fact]
    public async Task A_refused_token_that_cannot_be_replaced_ends_the_load()
    {
        WeightSourceException error = await AssertFailsAsync(
            $"{TokenFixture.Email}\\): Google did not issue a token \\(400\\).*The SDK says: .*invalid_grant.*Invalid JWT", Model, afterHeader: () =>
            {
                Tokens.Revoke();
                Tokens.Refuses = true;
            });
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task A_key_of_another_account_gets_no_token()
    {
        await using TokenFixture other = await TokenFixture.StartAsync();
        string foreign = other.KeyFile.Replace(other.Address, Tokens.Address, StringComparison.Ordinal);
        await AssertFailsAsync(
            "invalid_grant",
            Model,
            Options with { Credential = CredentialFactory.FromJson(foreign, JsonCredentialParameters.ServiceAccountCredentialType) });
    }

    [Fact]
    public async Task An_expired_custom_token_is_an_error_that_names_GcsOptions_Credential()
    {
        await AssertFailsAsync(
            "the token of the credentials in GcsOptions.Credential is not valid",
            Model,
            Options with { Credential = GoogleCredential.FromAccessToken("ya29.s3cret-over") });
    }

    [Fact]
    public async Task A_missing_permission_is_an_error_that_names_the_account_and_the_role()
    {
        Store.Forbids = true;
        WeightSourceException error = await AssertFailsAsync(
            $"{TokenFixture.Email} does not have storage.objects.get access.*roles/storage.objectViewer", Model);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public async Task Without_credentials_only_public_objects_are_read()
    {
        GcsOptions nobody = new() { Endpoint = Store.Address, Anonymous = true };
        await AssertFailsAsync("not public, and the request was sent with no credentials", Model, nobody);
        Store.IsPublic = true;
        await AssertLoadsAsync(Model, nobody);
        Assert.Empty(Tokens.Kinds);
    }

    [Fact]
    public async Task An_emulator_in_the_environment_is_used_without_credentials_or_a_call_of_UseGcs()
    {
        Store.IsPublic = true;
        foreach (string host in (string[])[Store.Address.Authority, Store.Address.AbsoluteUri, Store.Address + "storage/v1/"])
        {
            using var environment = new Variables(("STORAGE_EMULATOR_HOST", host), ("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent"));
            await using WeightLoader loader = new WeightLoaderBuilder().Build();
            using WeightSet weights = await loader.LoadTensorsAsync(Model, cancellationToken: TestContext.Current.CancellationToken);
            NoiseFile.AssertIn(weights);
        }
    }

    [Fact]
    public async Task An_emulator_that_is_no_address_is_named()
    {
        using var environment = new Variables(("STORAGE_EMULATOR_HOST", "no host"));
        await AssertFailsAsync(
            "cannot use STORAGE_EMULATOR_HOST: it is neither an http or https URL nor a host with its port", Model, new GcsOptions());
    }

    [Theory]
    [InlineData("STORAGE_EMULATOR_HOST")]
    [InlineData("GOOGLE_CLOUD_QUOTA_PROJECT")]
    [InlineData("GCE_METADATA_HOST")]
    public async Task A_variable_with_a_line_break_is_an_error_that_names_it(string name)
    {
        using var environment = new Variables((name, "127.0.0.1\r\nX-Evil: 1"));
        await AssertFailsAsync($"{name} contains a line break or another control character", Model, new GcsOptions());
    }

    [Fact]
    public async Task The_message_of_an_error_response_without_a_code_has_no_gap()
    {
        Store.RefusesWithoutText = true;
        WeightSourceException error = await AssertFailsAsync("the store refused the request \\(403\\): ", Model);
        Assert.DoesNotContain(" )", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_request_names_the_project_that_pays()
    {
        Store.Payer = "payer";
        await AssertFailsAsync("GcsOptions.UserProject", Model);
        await AssertFailsAsync("cannot be charged", Model, Options with { UserProject = "another" });
        Store.Requests.Clear();
        await AssertLoadsAsync(Model, Options with { UserProject = "payer" });
        Assert.All(Store.Requests, request => Assert.Equal("payer", request.Project));
    }

    [Fact]
    public async Task Tokens_are_not_sent_over_plain_http_to_another_machine() => await AssertFailsAsync(
        "over http only to this machine", Model, Options with { Endpoint = new Uri("http://storage.invalid") });
}
