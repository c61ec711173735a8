using System.Text.RegularExpressions;
using Azure.Core;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Mistakes in the variables of Azure's own library, which reads them for real: each is an error that names the variable.</summary>
public sealed class AzureSettingsTests : IDisposable
{
    private const string Uri = "az://account/weights/model.safetensors";
    private const string Secret = "client-s3cret";

    private readonly Variables _variables = new(
        ("AZURE_STORAGE_CONNECTION_STRING", null), ("AZURE_STORAGE_KEY", null), ("AZURE_STORAGE_SAS_TOKEN", null), ("AZURE_STORAGE_ACCOUNT", null),
        ("AZURE_CLIENT_ID", null), ("AZURE_TENANT_ID", null), ("AZURE_CLIENT_SECRET", null), ("AZURE_FEDERATED_TOKEN_FILE", null),
        ("AZURE_AUTHORITY_HOST", null), ("IDENTITY_ENDPOINT", null), ("IDENTITY_HEADER", null), ("AZURE_TOKEN_CREDENTIALS", null));

    public void Dispose() => _variables.Dispose();

    [Theory]
    [InlineData("AZURE_TENANT_ID", "no tenant!", "AZURE_TENANT_ID is neither the id nor the domain of a tenant.*The SDK says: Invalid tenant id")]
    [InlineData("AZURE_TOKEN_CREDENTIALS", "nobody", "AZURE_TOKEN_CREDENTIALS names no credential.*The SDK says: ")]
    [InlineData("AZURE_AUTHORITY_HOST", "http://login.invalid", "AZURE_AUTHORITY_HOST is not an https URL.*The SDK says: ")]
    [InlineData("AZURE_AUTHORITY_HOST", "nowhere", "AZURE_AUTHORITY_HOST is not an https URL.*The SDK says: ")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=" + Secret, "AZURE_STORAGE_CONNECTION_STRING is not a connection string")]
    [InlineData("AZURE_STORAGE_SAS_TOKEN", Secret, "AZURE_STORAGE_SAS_TOKEN is not a shared access signature")]
    public async Task A_variable_that_cannot_be_used_is_named(string name, string value, string pattern)
    {
        using var variable = new Variables((name, value), ("AZURE_CLIENT_ID", "client"), ("AZURE_CLIENT_SECRET", Secret));
        Assert.False((await FailAsync(pattern)).IsTransient);
    }

    [Fact]
    public async Task The_file_of_a_token_that_is_not_there_is_named()
    {
        using var variables = new Variables(
            ("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client"), ("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token"),
            ("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential"));
        WeightSourceException error = await FailAsync("AZURE_FEDERATED_TOKEN_FILE.* has no token to give.*/nowhere/token");
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task A_credential_of_the_programs_own_may_throw_what_it_likes()
    {
        WeightSourceException error = await FailAsync(
            "AzureBlobsOptions.Credential \\(Odd\\): it has no token to give. The SDK says: not on Sundays",
            new AzureBlobsOptions { Credential = new Odd() });
        Assert.False(error.IsTransient);
    }

    private static async Task<WeightSourceException> FailAsync(string pattern, AzureBlobsOptions? options = null)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().UseAzureBlobs(options).Build();
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken));
        Assert.True(Regex.IsMatch(error.Message, pattern), error.Message);
        Assert.StartsWith(Uri + ": ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
        return error;
    }

    private sealed class Odd : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new NotImplementedException("not on Sundays");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new NotImplementedException("not on Sundays");
    }
}
