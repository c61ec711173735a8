using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores;

/// <summary>Loads from a store, and looks for secrets in every error.</summary>
/// <typeparam name="TOptions">The options of the store.</typeparam>
public abstract class StoreTest<TOptions> : IAsyncLifetime
    where TOptions : class
{
    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    /// <summary>What no error may hold.</summary>
    private protected List<string> Secrets { get; } = [];

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    /// <summary>Adds the store to a loader.</summary>
    /// <param name="builder">The loader's builder.</param>
    /// <param name="options">null for options that let the loader read.</param>
    private protected abstract WeightLoaderBuilder Use(WeightLoaderBuilder builder, TOptions? options);

    private protected WeightLoader Loader(TOptions? options = null) => Use(new WeightLoaderBuilder().UseTransferOptions(Quick), options).Build();

    private protected async Task AssertLoadsAsync(string uri, TOptions? options = null, Action? afterHeader = null)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(
            uri, AfterHeader.Call(afterHeader), cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private protected async Task<WeightSourceException> AssertFailsAsync(
        string pattern, string uri, TOptions? options = null, Action? afterHeader = null)
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
