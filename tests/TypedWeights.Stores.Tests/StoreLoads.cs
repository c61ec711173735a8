using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores;

/// <summary>What every store has to do.</summary>
internal static class StoreLoads
{
    /// <summary>Fails unless a load of one of the noise file's tensors brings that one and reads little else.</summary>
    public static async Task AssertReadsAPartAsync(WeightLoader loader, string uri)
    {
        var progress = new ProgressLog();
        using WeightSet weights = await loader.LoadTensorsAsync(
            uri, new() { Filter = static name => name == "layers.0.weight" }, progress, TestContext.Current.CancellationToken);
        Assert.Equal(NoiseFile.Entries[1].Data, TensorBytes.Of(Assert.Single(weights).Value));
        Assert.InRange(progress.Reports.Last().BytesTotal, 1_200_000, 1_300_000);
    }

    /// <summary>
    /// Fails unless <see cref="LiveModel"/>, whose snapshot is of the noise file, loads what it was taken of, and, where it is told to, what
    /// is there by now: other bytes in every tensor.
    /// </summary>
    public static async Task AssertReadsTheRecordedAndTheLatestAsync(WeightLoader loader)
    {
        using (LiveModel recorded = await loader.LoadAsync<LiveModel>(cancellationToken: TestContext.Current.CancellationToken))
        {
            NoiseFile.AssertIn(recorded.Weights);
        }

        using LiveModel latest = await loader.LoadAsync<LiveModel>(
            new() { Revision = WeightRevision.Latest }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(NoiseFile.OtherEntries[3].Data, TensorBytes.Of(latest.Weights["layers.1.mask"]));
    }
}
