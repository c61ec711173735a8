using System.Text.RegularExpressions;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>
/// A fault server with the noise file, a loader that is quick to lose patience, and what holds of every load whatever went wrong: no
/// tensor, request or connection outlives it.
/// </summary>
public abstract class FaultTest : IAsyncLifetime
{
    /// <summary>About fifteen ranges over four connections, and little patience.</summary>
    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 256 << 10,
        StallTimeout = TimeSpan.FromMilliseconds(1500),
        RetryDelay = TimeSpan.FromMilliseconds(10),
        Attempts = 4,
    };

    private protected FaultServer Server { get; private set; } = null!;

    private protected string Uri => $"{Server.Address}/{NoiseFile.Name}";

    public virtual async ValueTask InitializeAsync()
    {
        Server = await FaultServer.StartAsync();
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Fails unless the file arrives with every byte in its place.</summary>
    private protected async Task AssertLoadsAsync(TransferOptions? options = null, string? uri = null)
    {
        long before = NativeTensors.Count();
        await using (WeightLoader loader = Loader(options))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(uri ?? Uri, cancellationToken: TestContext.Current.CancellationToken);
            NoiseFile.AssertIn(weights);
            await Server.WaitUntilIdleAsync();
        }

        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilDisconnectedAsync();
    }

    /// <summary>Fails unless the load ends with an error of its source that says what it should, and leaves nothing behind.</summary>
    /// <param name="pattern">A regular expression that the message matches.</param>
    /// <param name="options">How it is loaded.</param>
    /// <param name="uri">What; null for <see cref="Uri"/>.</param>
    private protected Task<WeightSourceException> AssertFailsAsync(
        string pattern, TransferOptions? options = null, string? uri = null) =>
        AssertFailsAsync<WeightSourceException>(pattern, options, uri);

    private protected async Task<T> AssertFailsAsync<T>(string pattern, TransferOptions? options = null, string? uri = null)
        where T : Exception
    {
        long before = NativeTensors.Count();
        T error;
        await using (WeightLoader loader = Loader(options))
        {
            error = await Assert.ThrowsAnyAsync<T>(
                () => loader.LoadTensorsAsync(uri ?? Uri, cancellationToken: TestContext.Current.CancellationToken));
            NativeTensors.AssertNoneSince(before);

            // With the loader still there: the failure itself ended what was under way.
            await Server.WaitUntilIdleAsync();
        }

        Assert.True(Regex.IsMatch(error.Message, pattern, RegexOptions.IgnoreCase), error.Message);
        await Server.WaitUntilDisconnectedAsync();
        return error;
    }

    private protected static WeightLoader Loader(TransferOptions? options = null) =>
        new WeightLoaderBuilder().UseTransferOptions(options ?? Quick).Build();
}
