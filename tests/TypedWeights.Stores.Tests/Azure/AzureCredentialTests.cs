using Azure;
using Azure.Storage;
using Azure.Storage.Sas;
using TypedWeights.Sources;
using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Keys, signatures, connection strings and nothing at all; Azurite checks each.</summary>
public sealed class AzureCredentialTests : AzureTest
{
    private static readonly string WrongKey = Convert.ToBase64String(new byte[64]);

    private string Model => Container.Uri(NoiseFile.Name);

    [Fact]
    public async Task A_wrong_account_key_is_an_error_that_names_SharedKey()
    {
        Secrets.Add(WrongKey);
        WeightSourceException error = await AssertFailsAsync(
            "the key in AzureBlobsOptions.SharedKey",
            Model,
            Container.Options with { SharedKey = new StorageSharedKeyCredential(AzuriteContainer.Account, WrongKey) });
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shared_access_signature_alone_authorises_a_load(bool inUri)
    {
        string sas = Container.Sign(TimeSpan.FromMinutes(5));
        await (inUri
            ? AssertLoadsAsync($"{Model}?{sas}", Container.Options)
            : AssertLoadsAsync(Model, Container.Options with { Sas = new AzureSasCredential(sas) }));
    }

    [Fact]
    public async Task An_expired_or_insufficient_signature_is_an_error_that_does_not_show_it()
    {
        string over = Container.Sign(TimeSpan.FromMinutes(-5));
        string writing = Container.Sign(TimeSpan.FromMinutes(5), BlobContainerSasPermissions.Write);
        Secrets.AddRange(Signatures(over, writing));
        await AssertFailsAsync("the shared access signature of the URI", $"{Model}?{over}", Container.Options);
        await AssertFailsAsync("the shared access signature of the URI", $"{Model}?{writing}", Container.Options);
    }

    [Fact]
    public async Task A_signature_that_the_program_renews_during_a_load_is_used()
    {
        string first = await Container.SignByPolicyAsync("first");
        var sas = new AzureSasCredential(first);
        await AssertLoadsAsync(Model, Container.Options with { Sas = sas }, () =>
        {
            Expire("first");
            sas.Update(Container.Sign(TimeSpan.FromMinutes(5)));
        });

        // If nobody renews it, the load ends with what happened.
        string second = await Container.SignByPolicyAsync("second");
        Secrets.AddRange(Signatures(first, second));
        await AssertFailsAsync(
            "the shared access signature in AzureBlobsOptions.Sas",
            Model,
            Container.Options with { Sas = new AzureSasCredential(second) },
            () => Expire("second"));

        void Expire(string policy) => Task.Run(() => Container.ExpireAsync(policy)).Wait(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_refused_signature_is_retried_only_if_it_has_changed_since()
    {
        var sas = new AzureSasCredential(Container.Sign(TimeSpan.FromMinutes(5)));
        using var context = new StoreContext();
        var account = new BlobAccount(Container.Service, BlobCredentials.Of(sas, "the signature"), new SdkGuard(context, "Azure"));
        using var request = new HttpRequestMessage(HttpMethod.Get, Container.Service.AbsoluteUri + "/c/b?snapshot=1");
        CancellationToken token = TestContext.Current.CancellationToken;
        await account.AuthorizeAsync(request, Model, token);
        Assert.Contains("sig=", request.RequestUri!.Query, StringComparison.Ordinal);
        Assert.False(await account.RenewAsync(request, Model, token));
        sas.Update(Container.Sign(TimeSpan.FromMinutes(6)));
        Assert.True(await account.RenewAsync(request, Model, token));
    }

    [Fact]
    public async Task A_connection_string_in_the_environment_works_without_a_call_of_UseAzureBlobs()
    {
        using var environment = new Variables(("AZURE_STORAGE_CONNECTION_STRING", ConnectionString()));
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        using WeightSet weights = await loader.LoadTensorsAsync(Model, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task A_connection_string_may_hold_a_signature()
    {
        string text = $"BlobEndpoint={Container.Service};SharedAccessSignature={Container.Sign(TimeSpan.FromMinutes(5))}";
        await AssertLoadsAsync(Model, new AzureBlobsOptions { ConnectionString = text });
    }

    [Theory]
    [InlineData("AccountName=devstoreaccount1;AccountKey=c2VjcmV0LXNlY3JldA==%%;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1")]
    [InlineData("c2VjcmV0LXNlY3JldA==")]
    public Task A_malformed_connection_string_is_an_error_that_does_not_show_it(string text)
    {
        Secrets.Add("c2VjcmV0LXNlY3JldA==");
        return AssertFailsAsync("ConnectionString is not", Model, new AzureBlobsOptions { ConnectionString = text });
    }

    [Fact]
    public async Task Keys_and_signatures_of_the_environment_are_used_only_for_their_account()
    {
        using (new Variables(("AZURE_STORAGE_ACCOUNT", AzuriteContainer.Account), ("AZURE_STORAGE_KEY", AzuriteContainer.Key)))
        {
            await AssertLoadsAsync(Model, Container.Options);
        }

        using (new Variables(("AZURE_STORAGE_SAS_TOKEN", "?" + Container.Sign(TimeSpan.FromMinutes(5)))))
        {
            await AssertLoadsAsync(Model, Container.Options);
        }

        using (new Variables(
            ("AZURE_STORAGE_ACCOUNT", "another"),
            ("AZURE_STORAGE_KEY", AzuriteContainer.Key),
            ("AZURE_STORAGE_SAS_TOKEN", Container.Sign(TimeSpan.FromMinutes(5))),
            ("AZURE_STORAGE_CONNECTION_STRING", ConnectionString().Replace(AzuriteContainer.Account, "another", StringComparison.Ordinal))))
        {
            using var context = new StoreContext();
            var settings = new BlobSettings(new AzureBlobsOptions(), new SdkGuard(context, "Azure Blob Storage"));
            (Uri service, BlobCredentials credentials) = settings.Find(BlobUri.Of(WeightUri.Parse(Model)));
            Assert.Equal($"https://{AzuriteContainer.Account}.blob.core.windows.net/", service.AbsoluteUri);
            Assert.True(credentials.IsToken);
        }
    }

    [Fact]
    public async Task Without_credentials_only_public_containers_are_read()
    {
        AzureBlobsOptions nobody = Container.Options with { Anonymous = true };
        await AssertFailsAsync("no credentials", Model, nobody);

        await using AzuriteContainer open = await AzuriteContainer.CreateAsync(isPublic: true);
        await open.PutAsync(NoiseFile.Name, NoiseFile.Bytes);
        await AssertLoadsAsync(open.Uri(NoiseFile.Name), nobody);
    }

    private string ConnectionString() =>
        $"AccountName={AzuriteContainer.Account};AccountKey={AzuriteContainer.Key};BlobEndpoint={Container.Service}";

    private static IEnumerable<string> Signatures(params string[] sas) => sas
        .Select(text => text.Split('&').First(pair => pair.StartsWith("sig=", StringComparison.Ordinal))["sig=".Length..])
        .SelectMany(static signature => new[] { signature, Uri.UnescapeDataString(signature) });
}
