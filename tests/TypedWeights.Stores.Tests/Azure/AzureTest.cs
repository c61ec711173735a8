using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Loads from a container on Azurite.</summary>
public abstract class AzureTest : StoreTest<AzureBlobsOptions>
{
    // The machine's own login stays out of it.
    private readonly Variables _variables = new(
        ("AZURE_STORAGE_CONNECTION_STRING", null), ("AZURE_STORAGE_KEY", null), ("AZURE_STORAGE_SAS_TOKEN", null), ("AZURE_STORAGE_ACCOUNT", null),
        ("AZURE_CLIENT_ID", null), ("AZURE_TENANT_ID", null), ("AZURE_CLIENT_SECRET", null), ("AZURE_FEDERATED_TOKEN_FILE", null),
        ("IDENTITY_ENDPOINT", null), ("IDENTITY_HEADER", null), ("AZURE_TOKEN_CREDENTIALS", null));

    private protected AzuriteContainer Container { get; private set; } = null!;

    private protected virtual bool IsTls => false;

    public override async ValueTask InitializeAsync()
    {
        Secrets.Add(AzuriteContainer.Key);
        Container = await AzuriteContainer.CreateAsync(IsTls);
        await Container.PutAsync(NoiseFile.Name, NoiseFile.Bytes);
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _variables.Dispose();
        if (Container is not null)
        {
            await Container.DisposeAsync();
        }
    }

    private protected override WeightLoaderBuilder Use(WeightLoaderBuilder builder, AzureBlobsOptions? options)
    {
        builder.UseAzureBlobs(options ?? Container.WithKey);
        return Container.Root is { } root ? builder.UseHttp(new() { TrustedRoots = [root] }) : builder;
    }
}
