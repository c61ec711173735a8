using TypedWeights.Devices.Cuda;
using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests;

/// <summary>Loads onto a simulated machine of the test's own.</summary>
internal static class SimulatedLoads
{
    /// <summary>Six buffers of 64 KiB: a few hundred kilobytes go round more than once.</summary>
    public static TransferOptions SmallRing { get; } = new() { StagingSize = 6 * (64 << 10) };

    /// <summary>Odd lengths, a tensor that takes several buffers, many that share one, one of a single value, one of none.</summary>
    public static TestFile.Entry[] Entries { get; } =
    [
        TestFile.Noise("large", "BF16", 16, 700, 301),
        .. Enumerable.Range(0, 40).Select(i => TestFile.Noise($"tiny.{i}", "F32", 32, i + 1)),
        TestFile.Noise("odd", "U8", 8, 100_003),
        TestFile.F32("scale", [], 0.5f),
        TestFile.F32("none", [0, 4]),
        TestFile.Noise("last", "F32", 32, 90, 77),
    ];

    public static WeightLoader Loader(CudaBackend backend, TransferOptions? options = null) =>
        new WeightLoaderBuilder().UseCuda(backend).UseTransferOptions(options ?? SmallRing).Build();

    public static void AssertWhole(WeightSet weights, IReadOnlyList<TestFile.Entry>? entries = null) => Assert.All(
        entries ?? Entries,
        entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), $"{entry.Name} has other bytes than the file"));

    /// <summary>Loads a file, looks at every byte, and gives everything back.</summary>
    public static async Task LoadAsync(SimulatedGpu gpu, string path, TensorStorage storage = TensorStorage.Arena)
    {
        await using (WeightLoader loader = Loader(gpu.Backend))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(
                path, new TensorLoadOptions { Storage = storage }, cancellationToken: TestContext.Current.CancellationToken);
            gpu.CheckHandedOver(weights);
            AssertWhole(weights);
        }

        gpu.AssertNothingLeft();
    }
}
