using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests;

public sealed class BlockTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SimulatedGpu _gpu = new();

    public void Dispose()
    {
        _folder.Dispose();
        _gpu.Dispose();
    }

    // 512 bytes each: the simulated allocator puts them side by side, as libtorch's would.
    [Fact]
    public async Task A_copy_to_the_device_never_crosses_into_an_adjacent_allocation()
    {
        TestFile.Entry[] entries = [.. Enumerable.Range(0, 20).Select(i => TestFile.Noise($"t{i}", "F32", 32, 128))];
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        using WeightSet weights = await loader.LoadTensorsAsync(
            TestFile.Write(_folder["m.safetensors"], entries),
            new() { Storage = TensorStorage.PerTensor },
            cancellationToken: TestContext.Current.CancellationToken);

        SimulatedLoads.AssertWhole(weights, entries);
        _gpu.AssertClean();
        Assert.Equal(20, _gpu.Faults.Count("CopyToDevice"));
    }
}
