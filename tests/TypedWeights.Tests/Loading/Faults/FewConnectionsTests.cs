using System.Net.Sockets;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>
/// Servers that serve fewer connections than they are offered, and do not say so: the others are recognised by what they do not bring.
/// </summary>
public sealed class FewConnectionsTests
{
    // Nothing but the recognition ends a silent read in the time of these tests.
    private static readonly TransferOptions Patient = new()
    {
        MinConnections = 8,
        MaxConnections = 32,
        PartSize = 64 << 10,
        StallTimeout = TimeSpan.FromMinutes(5),
        RetryDelay = TimeSpan.FromMilliseconds(50),
    };

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public async Task A_server_that_serves_only_some_open_connections_is_read_over_the_served_ones(int workers, bool isTyped)
    {
        using var places = new SemaphoreSlim(workers);
        await using var server = new RawServer(NoiseFile.Bytes) { Workers = places };

        await AssertLoadsAsync(server, Patient with { Attempts = 1 }, isTyped);
    }

    [Theory]
    [InlineData(1, "close")]
    [InlineData(3, "close")]
    [InlineData(3, "reset")]
    public async Task A_server_that_closes_connections_beyond_its_limit_is_read_over_the_others(int workers, string how)
    {
        using var places = new SemaphoreSlim(workers);
        await using var server = new RawServer(NoiseFile.Bytes)
        {
            Workers = places,
            TurnAway = socket =>
            {
                if (how == "reset")
                {
                    socket.LingerState = new LingerOption(enable: true, seconds: 0);
                }

                socket.Close();
            },
        };

        // No payload is sent before the load has tried one connection too many.
        server.Answer = async (connection, _) =>
        {
            if (connection.Index > 0)
            {
                await Eventually.BecomesAsync(() => server.TurnedAway > 0, static () => "the load opened no connection beyond the limit");
            }

            return false;
        };

        await AssertLoadsAsync(server, Patient, isTyped: false);

        // Each of the few dozen reads would have been turned away again and again.
        Assert.InRange(server.TurnedAway, 1, 2000);
    }

    [Fact]
    public async Task A_server_that_closes_every_connection_is_an_error_after_the_configured_attempts()
    {
        using var places = new SemaphoreSlim(0);
        await using var server = new RawServer(NoiseFile.Bytes) { Workers = places, TurnAway = socket => socket.Close() };

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync(server, Patient with { Attempts = 3, RetryDelay = TimeSpan.FromMilliseconds(10) }));

        Assert.Contains("3 attempts", error.Message, StringComparison.Ordinal);
    }

    // What one load keeps open when it has ended is the only connection that the server would serve the next with.
    [Theory(Timeout = 240_000)]
    [InlineData(1, 6)]
    [InlineData(3, 12)]
    public async Task Many_loads_of_one_loader_share_the_few_connections_that_a_server_serves(int workers, int loads)
    {
        using var places = new SemaphoreSlim(workers);
        await using var server = new RawServer(NoiseFile.Bytes) { Workers = places };
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Patient with { Attempts = 1 }).Build();

        WeightSet[] all = await Task.WhenAll(Enumerable.Range(0, loads).Select(
            _ => loader.LoadTensorsAsync(Source(server), cancellationToken: TestContext.Current.CancellationToken)));

        foreach (WeightSet weights in all)
        {
            NoiseFile.AssertIn(weights);
            weights.Dispose();
        }
    }

    private static async Task AssertLoadsAsync(RawServer server, TransferOptions options, bool isTyped)
    {
        long before = NativeTensors.Count();
        if (isTyped)
        {
            await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(options).Build();
            using NoiseModel model = await loader.LoadAsync<NoiseModel>(
                Source(server), cancellationToken: TestContext.Current.CancellationToken);
            NoiseFile.AssertIn(model.Weights);
        }
        else
        {
            using WeightSet weights = await LoadAsync(server, options);
            NoiseFile.AssertIn(weights);
        }

        NativeTensors.AssertNoneSince(before);
        await server.WaitUntilDisconnectedAsync();
    }

    private static async Task<WeightSet> LoadAsync(RawServer server, TransferOptions options)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(options).Build();
        return await loader.LoadTensorsAsync(Source(server), cancellationToken: TestContext.Current.CancellationToken);
    }

    private static string Source(RawServer server) => $"{server.Address}/{NoiseFile.Name}";
}
