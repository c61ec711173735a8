using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;

namespace TypedWeights.Tests.Stores.Seam;

/// <summary>An option of a store whose value can mean nothing is refused by its name, when it is given.</summary>
public sealed class OptionValueTests
{
    private static readonly Uri NoUrl = new("storage", UriKind.Relative);

    private static StorageClient Client => StorageClient.CreateUnauthenticated();

    public static TheoryData<string, Action<WeightLoaderBuilder>> Values => new()
    {
        { nameof(S3Options.Endpoint), b => b.UseS3(new() { Endpoint = NoUrl }) },
        { nameof(S3Options.Endpoint), b => b.UseS3(new() { Endpoint = new Uri("s3://bucket") }) },
        { nameof(S3Options.Region), b => b.UseS3(new() { Region = "" }) },
        { nameof(S3Options.Profile), b => b.UseS3(new() { Profile = " " }) },
        { nameof(GcsOptions.Endpoint), b => b.UseGcs(new() { Endpoint = NoUrl }) },
        { nameof(GcsOptions.UserProject), b => b.UseGcs(new() { UserProject = "" }) },
        { nameof(GcsOptions.Client), b => b.UseGcs(new() { Client = Client, Anonymous = true }) },
        { nameof(GcsOptions.Client), b => b.UseGcs(new() { Client = Client, Credential = GoogleCredential.FromAccessToken("token") }) },
        { nameof(GcsOptions.Client), b => b.UseGcs(new() { Client = Client, Endpoint = new Uri("https://storage.example.com") }) },
        { nameof(AzureBlobsOptions.Endpoint), b => b.UseAzureBlobs(new() { Endpoint = "127.0.0.1/{account}" }) },
        { nameof(AzureBlobsOptions.Endpoint), b => b.UseAzureBlobs(new() { Endpoint = "" }) },
        { nameof(AzureBlobsOptions.SasAccount), b => b.UseAzureBlobs(new() { SasAccount = "" }) },
        { nameof(AzureBlobsOptions.ConnectionString), b => b.UseAzureBlobs(new() { ConnectionString = "" }) },
        { nameof(GcsOptions.UserProject), b => b.UseGcs(new() { UserProject = "my\nproject" }) },
        { nameof(AzureBlobsOptions.SasAccount), b => b.UseAzureBlobs(new() { SasAccount = "a\nb" }) },
        { nameof(AzureBlobsOptions.ConnectionString), b => b.UseAzureBlobs(new() { ConnectionString = "AccountName=a;\nAccountKey=b" }) },
        { nameof(AzureBlobsOptions.Sas), b => b.UseAzureBlobs(new() { Sas = new("sv=1&sig=a\u0001b") }) },
        { nameof(AzureBlobsOptions.Endpoint), b => b.UseAzureBlobs(new() { Endpoint = "https://a\nb/{account}" }) },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_builder_refuses_an_invalid_store_option_by_its_name(string option, Action<WeightLoaderBuilder> use)
    {
        var error = Assert.Throws<ArgumentException>(() => use(new WeightLoaderBuilder()));

        Assert.Equal(option, error.ParamName);
        Assert.StartsWith(option + " ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_builder_accepts_default_and_valid_store_options()
    {
        var builder = new WeightLoaderBuilder();
        builder.UseS3().UseGcs().UseAzureBlobs();
        new WeightLoaderBuilder()
            .UseS3(new() { Endpoint = new Uri("http://127.0.0.1:9000"), Region = "eu-central-1", Profile = "work" })
            .UseGcs(new() { Endpoint = new Uri("https://storage.example.com") })
            .UseAzureBlobs(new() { Endpoint = "https://{account}.blob.core.usgovcloudapi.net" });
    }
}
