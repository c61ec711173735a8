namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Everything that passes, at random and all at once, under options at random: the bytes are right all the same.</summary>
public sealed class ChaosTests : FaultTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Random_transient_faults_leave_every_byte_in_its_place(int seed)
    {
        var random = new Random(seed);
        var choosing = new Lock();
        TransferOptions options = new()
        {
            MinConnections = random.Next(1, 4),
            MaxConnections = random.Next(4, 12),
            PartSize = random.Next(64 << 10, 1 << 20),
            StallTimeout = TimeSpan.FromMilliseconds(250),
            RetryDelay = TimeSpan.FromMilliseconds(5),
            Attempts = 30,
            BytesPerSecond = seed % 3 == 0 ? 20_000_000 : null,
        };
        Server.Answer = _ =>
        {
            lock (choosing)
            {
                return Choose(random);
            }
        };
        long before = NativeTensors.Count();
        await using (WeightLoader loader = Loader(options))
        {
            CancellationToken token = TestContext.Current.CancellationToken;
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: token);
            NoiseFile.AssertIn(weights);
            using NoiseModel model = await loader.LoadAsync<NoiseModel>(
                Uri, new() { Storage = TensorStorage.PerTensor }, null, token);
            NoiseFile.AssertIn(model.Weights);
            await Server.WaitUntilIdleAsync();
        }

        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilDisconnectedAsync();
    }

    private static Fault? Choose(Random random) => random.Next(20) switch
    {
        0 => Respond.Status(503, "0"),
        1 => Respond.Status(random.Next(2) == 0 ? 429 : 500),
        2 or 3 => Respond.AbortAfter(random.Next(200_000)),
        4 or 5 => Respond.TruncateAfter(random.Next(200_000)),
        6 => Respond.EndAfter(random.Next(200_000)),
        7 => random.Next(3) == 0 ? Respond.Silence : null,
        8 => random.Next(3) == 0 ? Respond.StallAfter(random.Next(200_000)) : null,
        9 => Respond.After(() => Task.Delay(50), Respond.Serve),
        _ => null,
    };
}
