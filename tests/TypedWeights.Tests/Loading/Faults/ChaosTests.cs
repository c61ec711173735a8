using System.Globalization;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>
/// Random transient faults under random options: the bytes are right all the same. The options follow from the seed, and the fault of a
/// request from the seed, the range and the attempt, so that a failed run can be repeated: TYPEDWEIGHTS_SEED takes its seed.
/// </summary>
public sealed class ChaosTests : FaultTest
{
    public static TheoryData<int> Seeds =>
        Environment.GetEnvironmentVariable("TYPEDWEIGHTS_SEED") is { Length: > 0 } seed
            ? [int.Parse(seed, CultureInfo.InvariantCulture)]
            : [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_transient_faults_leave_every_byte_in_its_place(int seed)
    {
        var random = new Random(seed);
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
        Server.Answer = request => Choose(new Random(unchecked((((seed * 397) + (int)request.To) * 397) + request.Attempt)));
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
