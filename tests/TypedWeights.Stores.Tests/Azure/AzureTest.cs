using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Loads from a container on Azurite, and looks for secrets in every error.</summary>
public abstract class AzureTest : IAsyncLifetime
{
    // The machine's own login stays out of it.
    private readonly Variables _variables = new(
        ("AZURE_STORAGE_CONNECTION_STRING", null), ("AZURE_STORAGE_KEY", null), ("AZURE_STORAGE_SAS_TOKEN", null), ("AZURE_STORAGE_ACCOUNT", null),
        ("AZURE_CLIENT_ID", null), ("AZURE_TENANT_ID", null), ("AZURE_CLIENT_SECRET", null), ("AZURE_FEDERATED_TOKEN_FILE", null),
        ("IDENTITY_ENDPOINT", null), ("IDENTITY_HEADER", null), ("AZURE_TOKEN_CREDENTIALS", null));

    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    private protected AzuriteContainer Container { get; private set; } = null!;

    /// <summary>What no error may hold.</summary>
    private protected List<string> Secrets { get; } = [AzuriteContainer.Key];

    private protected virtual bool IsTls => false;

    public virtual async ValueTask InitializeAsync()
    {
        Container = await AzuriteContainer.CreateAsync(IsTls);
        await Container.PutAsync(NoiseFile.Name, NoiseFile.Bytes);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _variables.Dispose();
        if (Container is not null)
        {
            await Container.DisposeAsync();
        }
    }

    private protected WeightLoader Loader(AzureBlobsOptions? options = null)
    {
        var builder = new WeightLoaderBuilder().UseTransferOptions(Quick).UseAzureBlobs(options ?? Container.WithKey);
        return (Container.Root is { } root ? builder.UseHttp(new() { TrustedRoots = [root] }) : builder).Build();
    }

    private protected async Task AssertLoadsAsync(string uri, AzureBlobsOptions? options = null, Action? afterHeader = null)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(
            uri, AfterHeader.Call(afterHeader), cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private protected async Task<WeightSourceException> AssertFailsAsync(
        string pattern, string uri, AzureBlobsOptions? options = null, Action? afterHeader = null)
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(options);
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(uri, AfterHeader.Call(afterHeader), cancellationToken: TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        Assert.True(Regex.IsMatch(error.Message, pattern), error.Message);
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal));
        return error;
    }
}
