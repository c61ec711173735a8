using System.Text.RegularExpressions;
using Google.Apis.Auth.OAuth2;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>Loads from the fixture with a service account's tokens, and looks for secrets in every error.</summary>
public abstract class GcsTest : IAsyncLifetime
{
    // The machine's own login stays out of it.
    private readonly Variables _variables = new(("GOOGLE_APPLICATION_CREDENTIALS", null), ("STORAGE_EMULATOR_HOST", null));

    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    private protected TokenFixture Tokens { get; private set; } = null!;

    private protected GcsFixture Store { get; private set; } = null!;

    private protected GcsOptions Options => new()
    {
        Endpoint = Store.Address,
        Credential = CredentialFactory.FromJson(Tokens.KeyFile, JsonCredentialParameters.ServiceAccountCredentialType),
    };

    private protected static string Uri(string name) => $"gs://{GcsFixture.Bucket}/{name}";

    public async ValueTask InitializeAsync()
    {
        Tokens = await TokenFixture.StartAsync();
        Store = await GcsFixture.StartAsync(Tokens);
        Store.Put(NoiseFile.Name, NoiseFile.Bytes);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _variables.Dispose();
        await Store.DisposeAsync();
        await Tokens.DisposeAsync();
    }

    private protected WeightLoader Loader(GcsOptions? options = null) =>
        new WeightLoaderBuilder().UseTransferOptions(Quick).UseGcs(options ?? Options).Build();

    private protected async Task AssertLoadsAsync(string uri, GcsOptions? options = null, Action? afterHeader = null)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(
            uri, AfterHeader.Call(afterHeader), cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private protected async Task<WeightSourceException> AssertFailsAsync(
        string pattern, string uri, GcsOptions? options = null, Action? afterHeader = null)
    {
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader(options);
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(uri, AfterHeader.Call(afterHeader), cancellationToken: TestContext.Current.CancellationToken));
        NativeTensors.AssertNoneSince(before);
        Assert.True(Regex.IsMatch(error.Message, pattern), error.Message);
        Assert.All(Tokens.Secrets.Append("s3cret"), secret => Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal));
        return error;
    }
}
