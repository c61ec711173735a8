using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Identity;
using TypedWeights.Sources;
using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Mistakes in the variables of Azure's own library, which reads them for real: each is an error that names the variable.</summary>
public sealed class AzureSettingsTests : IDisposable
{
    private const string Uri = "az://account/weights/model.safetensors";
    private const string Secret = "client-s3cret";

    private readonly Variables _variables = new(
        ("AZURE_STORAGE_CONNECTION_STRING", null), ("AZURE_STORAGE_KEY", null), ("AZURE_STORAGE_SAS_TOKEN", null), ("AZURE_STORAGE_ACCOUNT", null),
        ("AZURE_CLIENT_ID", null), ("AZURE_TENANT_ID", null), ("AZURE_CLIENT_SECRET", null), ("AZURE_FEDERATED_TOKEN_FILE", null),
        ("AZURE_CLIENT_CERTIFICATE_PATH", null), ("AZURE_AUTHORITY_HOST", null), ("IDENTITY_ENDPOINT", null), ("IDENTITY_HEADER", null),
        ("AZURE_TOKEN_CREDENTIALS", null));

    public void Dispose() => _variables.Dispose();

    [Theory]
    [InlineData("AZURE_TENANT_ID", "no tenant!", "AZURE_TENANT_ID is neither the id nor the domain of a tenant.*The SDK says: Invalid tenant id")]
    [InlineData("AZURE_TOKEN_CREDENTIALS", "nobody", "AZURE_TOKEN_CREDENTIALS does not name a credential.*The SDK says: ")]
    [InlineData("AZURE_AUTHORITY_HOST", "http://login.invalid", "AZURE_AUTHORITY_HOST is not an https URL.*The SDK says: ")]
    [InlineData("AZURE_AUTHORITY_HOST", "nowhere", "AZURE_AUTHORITY_HOST is not an https URL.*The SDK says: ")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=" + Secret, "AZURE_STORAGE_CONNECTION_STRING is not a connection string")]
    [InlineData(
        "AZURE_STORAGE_CONNECTION_STRING", "AccountName=account;AccountKey=QUJD;BlobEndpoint=ftp://x/",
        "the BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING is not an http or https URL")]
    [InlineData("AZURE_STORAGE_SAS_TOKEN", Secret, "AZURE_STORAGE_SAS_TOKEN is not a shared access signature")]
    [InlineData("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=" + Secret + "\r\nX-Evil: 1", "AZURE_STORAGE_SAS_TOKEN contains a line break")]
    [InlineData("AZURE_STORAGE_ACCOUNT", "acc\nount", "AZURE_STORAGE_ACCOUNT contains a line break")]
    [InlineData("AZURE_STORAGE_KEY", Secret + "\u0001" + Secret, "AZURE_STORAGE_KEY contains a line break or another control character")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "AccountName=a\nb", "AZURE_STORAGE_CONNECTION_STRING contains a line break")]
    public async Task An_unusable_Azure_variable_is_an_error_that_names_it(string name, string value, string pattern)
    {
        using var variable = new Variables((name, value), ("AZURE_CLIENT_ID", "client"), ("AZURE_CLIENT_SECRET", Secret));
        Assert.False((await FailAsync(pattern)).IsTransient);
    }

    [Fact]
    public async Task An_absent_token_file_is_an_error_that_names_it()
    {
        using var variables = new Variables(
            ("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client"), ("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token"),
            ("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential"));
        WeightSourceException error = await FailAsync("AZURE_FEDERATED_TOKEN_FILE.* did not return a token.*/nowhere/token");
        Assert.False(error.IsTransient);
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/client.pem", "names a file that does not exist or cannot be read: /nowhere/client.pem" },
        { "AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token", "names a file that does not exist or cannot be read: /nowhere/token" },
        { "AZURE_STORAGE_KEY", Secret, "is set and AZURE_STORAGE_ACCOUNT is not; set both" },
    };

    [Theory]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=QUJD;BlobEndpoint=https://x/", null, "is for the account other")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "BlobEndpoint=http://127.0.0.1:9/;SharedAccessSignature=sig=" + Secret, null, "does not name an "
        + "account")]
    [InlineData("AZURE_STORAGE_KEY", "QUJD", "other", "is for the account other")]
    [InlineData("AZURE_STORAGE_SAS_TOKEN", "sig=" + Secret, "other", "is for the account other")]
    public async Task Credentials_of_another_account_are_named_when_no_identity_works(string name, string value, string? account, string mistake)
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        identity.Refuses = true;
        using Variables environment = identity.Environment();
        using var variables = new Variables(
            ("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", Guid.NewGuid().ToString()), (name, value), ("AZURE_STORAGE_ACCOUNT", account));
        await FailAsync($"cannot use DefaultAzureCredential \\(.*; {name} {mistake}\\): \\w+Credential did not return a token");
    }

    [Theory]
    [InlineData("AZURE_CLIENT_CERTIFICATE_PATH", "EnvironmentCredential")]
    [InlineData("AZURE_FEDERATED_TOKEN_FILE", "WorkloadIdentityCredential")]
    public async Task A_variable_that_points_to_a_pipe_is_an_error_without_waiting(string name, string chain)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        using var folder = new TempFolder();
        OddFile.Make(OddFile.Pipe, folder["pipe"], folder["victim"]);
        using var variables = new Variables(
            ("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client"), ("AZURE_TOKEN_CREDENTIALS", chain), (name, folder["pipe"]));
        await FailAsync($"Azure Blob Storage cannot use .*pipe \\({name}\\): this is a named pipe, and a regular file is expected");
    }

    [Theory]
    [InlineData("az://user:" + Secret + "@account/weights/model.safetensors")]
    [InlineData("az://user:" + Secret + "@account.blob.core.windows.net/weights/model.safetensors")]
    [InlineData("az://account:80/weights/model.safetensors")]
    public void An_az_URI_with_a_login_or_a_port_is_refused(string uri)
    {
        WeightSourceException error = Assert.Throws<WeightSourceException>(() => BlobUri.Of(WeightUri.Parse(uri)));
        Assert.Contains("the URI must not contain a port, user name or password", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public async Task An_unusable_variable_is_named_although_the_SDK_blames_another_identity(string name, string value, string mistake)
    {
        await using IdentityFixture identity = await IdentityFixture.StartAsync();
        identity.Refuses = true;
        using Variables environment = identity.Environment();
        using var variables = new Variables(("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", Guid.NewGuid().ToString()), (name, value));
        await FailAsync($"cannot use DefaultAzureCredential \\(.*; {name} {mistake}\\): \\w+Credential did not return a token");
    }

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public async Task An_unusable_variable_is_named_when_no_identity_is_available(string name, string value, string mistake)
    {
        using var variables = new Variables((name, value));
        using var context = new StoreContext();
        var account = new BlobAccount(
            new Uri("https://account.blob.core.windows.net"),
            BlobCredentials.Of(new Odd(new CredentialUnavailableException("none")), "the identity", passedOver: ""),
            new SdkGuard(context, "Azure"));
        using var request = new HttpRequestMessage(HttpMethod.Get, account.Service);

        await account.AuthorizeAsync(request, Uri, TestContext.Current.CancellationToken);

        Assert.StartsWith(
            $"no credentials ({name} {mistake}; DefaultAzureCredential found no credentials: ", account.CredentialsName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_of_a_custom_credential_does_not_mention_variables()
    {
        using var variables = new Variables(("AZURE_STORAGE_KEY", Secret));
        WeightSourceException error = await FailAsync("not on Sundays", new AzureBlobsOptions { Credential = new Odd() });
        Assert.DoesNotContain("AZURE_STORAGE_KEY", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_exception_of_a_custom_credential_becomes_an_error_that_names_the_credential()
    {
        WeightSourceException error = await FailAsync(
            "AzureBlobsOptions.Credential \\(Odd\\): it did not return a token. The SDK says: not on Sundays",
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

    private sealed class Odd(Exception? error = null) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw (error ?? new NotImplementedException("not on Sundays"));

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
