using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests;

/// <summary>Limits of host memory, where the tensors are on a device.</summary>
public sealed class MemoryTests : IDisposable
{
    private const long Buffer = 64 << 10;

    private readonly TempFolder _folder = new();
    private readonly SimulatedGpu _gpu = new();

    public void Dispose()
    {
        _folder.Dispose();
        _gpu.Dispose();
    }

    [Fact]
    public async Task The_memory_limit_counts_the_pinned_ring_and_not_tensors_on_the_device()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 3_000_000)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(() => LoadAsync(loader, path, 1000));
        Assert.Equal(0, error.TensorBytes);
        Assert.InRange(error.BufferBytes, 6 * Buffer, (6 * Buffer) + 1000);
        Assert.Equal(0, _gpu.Devices[0].LiveBlocks);
        Assert.Equal(0, _gpu.Driver.PinnedBytes);

        using WeightSet weights = await LoadAsync(loader, path, error.BufferBytes);
        Assert.Equal(6 * Buffer, _gpu.Driver.PinnedBytes);
    }

    [Fact]
    public async Task A_small_load_makes_a_small_pinned_ring_and_a_larger_load_grows_it()
    {
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        using WeightSet small = await LoadAsync(loader, TestFile.Write(_folder["s.safetensors"], [TestFile.F32("a", [1], 1)]), null);
        Assert.Equal(Buffer, _gpu.Driver.PinnedBytes);

        using WeightSet large = await LoadAsync(loader, TestFile.Write(_folder["l.safetensors"], SimulatedLoads.Entries), null);
        Assert.Equal(6 * Buffer, _gpu.Driver.PinnedBytes);
    }

    [Fact]
    public async Task The_pinned_ring_takes_at_most_half_of_the_buffer_limit()
    {
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend, new TransferOptions { BufferLimit = 1 << 20 });
        using WeightSet weights = await LoadAsync(loader, TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 3_000_000)]), null);

        Assert.Equal(512 << 10, _gpu.Driver.PinnedBytes);
    }

    private static Task<WeightSet> LoadAsync(WeightLoader loader, string path, long? limit) => loader.LoadTensorsAsync(
        path, new TensorLoadOptions { MemoryLimit = limit }, cancellationToken: TestContext.Current.CancellationToken);
}
