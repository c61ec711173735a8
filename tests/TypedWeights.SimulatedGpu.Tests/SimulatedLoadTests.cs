using TorchSharp;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests;

public sealed class SimulatedLoadTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SimulatedGpu _gpu = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        _gpu.Dispose();
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Every_byte_arrives_and_all_device_memory_is_freed(TensorStorage storage)
    {
        string path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);

        await SimulatedLoads.LoadAsync(_gpu, path, storage);

        Assert.Equal(0, _gpu.Devices[0].LiveBlocks);
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Thousands_of_small_tensors_take_few_buffers_and_in_an_arena_few_copies(TensorStorage storage)
    {
        TestFile.Entry[] entries = [.. Enumerable.Range(0, 2000).Select(i => TestFile.Noise($"t{i}", "F32", 32, 64))];
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        using WeightSet weights = await loader.LoadTensorsAsync(
            TestFile.Write(_folder["m.safetensors"], entries), new TensorLoadOptions { Storage = storage }, cancellationToken: Token);

        SimulatedLoads.AssertWhole(weights, entries);
        Assert.InRange(_gpu.Faults.Count("RecordEvent"), 8, 12);
        Assert.Equal(storage == TensorStorage.Arena, _gpu.Faults.Count("CopyToDevice") < 12);
        Assert.Equal(storage == TensorStorage.Arena ? 1 : 2000, _gpu.Devices[0].LiveBlocks);
        GC.KeepAlive(weights);
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Tensors_of_every_dtype_load_onto_the_device(TensorStorage storage)
    {
        TestFile.Entry[] entries =
        [
            TestFile.Noise("f4", "F4", 4, 3, 10), TestFile.Noise("f4odd", "F4", 4, 2, 3), TestFile.Noise("f6", "F6_E2M3", 6, 4),
            .. new[] { ("BOOL", 8), ("U8", 8), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F16", 16), ("U16", 16), ("I32", 32),
                ("C64", 64), ("U64", 64), ("F64", 64) }
                .Select(kind => TestFile.Noise(kind.Item1, kind.Item1, kind.Item2, 3, 5)),
        ];
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        using WeightSet weights = await loader.LoadTensorsAsync(
            TestFile.Write(_folder["m.safetensors"], entries), new TensorLoadOptions { Storage = storage }, cancellationToken: Token);

        SimulatedLoads.AssertWhole(weights, entries);
    }

    [Fact]
    public async Task Changing_one_tensor_of_a_block_does_not_invalidate_another()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [2, 2], 1, 2, 3, 4), TestFile.F32("running_mean", [2], 0, 0)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        using WeightSet weights = await loader.LoadTensorsAsync(path, cancellationToken: Token);
        Assert.Equal(1, _gpu.Devices[0].LiveBlocks);
        using torch.Tensor x = torch.ones(2, 2, requires_grad: true);

        using torch.Tensor loss = x.mm(weights["w"].requires_grad_(true)).sum();
        weights["running_mean"].add_(1);
        loss.backward();

        Assert.Equal(3f, x.grad![0, 0].item<float>());
    }

    [Fact]
    public async Task A_shared_block_is_freed_with_its_last_tensor_and_an_own_allocation_at_once()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [2], 1, 2), TestFile.F32("b", [2], 3, 4)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        WeightSet shared = await loader.LoadTensorsAsync(path, cancellationToken: Token);
        WeightSet own = await loader.LoadTensorsAsync(path, new() { Storage = TensorStorage.PerTensor }, cancellationToken: Token);
        Assert.Equal(3, _gpu.Devices[0].LiveBlocks);

        using torch.Tensor a = shared.Detach("a");
        using torch.Tensor b = own.Detach("b");
        shared.Dispose();
        own.Dispose();

        Assert.Equal(2, _gpu.Devices[0].LiveBlocks);
        Assert.Equal(3f, a.sum().item<float>());
        Assert.Equal(7f, b.sum().item<float>());
    }

    [Fact]
    public async Task Concurrent_loads_onto_several_devices_share_the_pinned_ring()
    {
        using var gpu = new SimulatedGpu(seed: 7, devices: 3);
        string path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);
        await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
        {
            WeightSet[] sets = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => loader.LoadTensorsAsync(
                path, new TensorLoadOptions { Device = new torch.Device(DeviceType.CUDA, i % 3) }, cancellationToken: Token)));

            Assert.All(sets, set => SimulatedLoads.AssertWhole(set));
            Assert.All(gpu.Devices, device => Assert.NotEqual(0, device.LiveBlocks));
            Assert.Equal(SimulatedLoads.SmallRing.StagingSize, gpu.Driver.PinnedBytes);
            Array.ForEach(sets, set => set.Dispose());
        }

        gpu.AssertNothingLeft();
    }

    [Fact]
    public async Task A_placement_spreads_a_model_over_devices_through_one_pinned_ring()
    {
        using var gpu = new SimulatedGpu(seed: 3, devices: 2);
        string path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);
        await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(
                path,
                new TensorLoadOptions
                {
                    Placement = new Placement().Put("tiny.*", "cuda:1").Put("odd", "cpu"),
                    Device = new torch.Device(DeviceType.CUDA, 0),
                },
                cancellationToken: Token);

            gpu.CheckHandedOver(weights);
            SimulatedLoads.AssertWhole(weights);
            Assert.All(gpu.Devices, device => Assert.NotEqual(0, device.LiveBlocks));
            Assert.Equal(SimulatedLoads.SmallRing.StagingSize, gpu.Driver.PinnedBytes);
        }

        gpu.AssertNothingLeft();
    }

    [Theory]
    [InlineData("F32", 32, torch.ScalarType.BFloat16)]
    [InlineData("BF16", 16, torch.ScalarType.Float32)]
    public async Task Tensors_converted_to_a_wider_or_narrower_dtype_fit_the_buffers(string from, int bits, torch.ScalarType to)
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", from, bits, 301, 701), TestFile.Noise("b", from, bits, 5)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        var options = new TensorLoadOptions { DType = to, Device = torch.CPU };
        using WeightSet expected = await loader.LoadTensorsAsync(path, options, cancellationToken: Token);

        using WeightSet weights = await loader.LoadTensorsAsync(
            path, options with { Device = new torch.Device(DeviceType.CUDA, 0) }, cancellationToken: Token);

        _gpu.CheckHandedOver(weights);
        Assert.All(expected, pair => Assert.Equal(Loading.TensorBytes.Of(pair.Value), Loading.TensorBytes.Of(weights[pair.Key])));
        _gpu.AssertClean();
    }

    [Theory]
    [InlineData("PushContext")]
    [InlineData("MemoryInfo")]
    [InlineData("AllocatePinned")]
    [InlineData("CreateStream")]
    [InlineData("CopyToDevice")]
    public async Task Disposing_the_loader_during_a_load_ends_the_load_and_frees_everything(string call)
    {
        string path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);
        WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        _gpu.Faults.Decide = (now, number) =>
        {
            if (now == call && number == 1)
            {
                loader.DisposeAsync().AsTask().Wait(Token);
            }

            return default;
        };

        WeightSourceException error =
            await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(path, cancellationToken: Token));

        Assert.Equal($"{path}: its loader was disposed while it was read.", error.Message);
        _gpu.AssertNothingLeft();
        Assert.Equal(0, _gpu.Devices[0].LiveBlocks);
    }

    [Fact]
    public async Task Large_tensors_load_completely_through_a_pinned_ring_of_constant_size()
    {
        TestFile.Entry[] entries = [TestFile.Noise("a", "U8", 8, 20_000_000), TestFile.Noise("b", "U8", 8, 9_000_001)];
        string path = TestFile.Write(_folder["m.safetensors"], entries);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        using WeightSet weights = await loader.LoadTensorsAsync(
            path, new TensorLoadOptions { MemoryLimit = 1 << 20 }, cancellationToken: Token);

        SimulatedLoads.AssertWhole(weights, entries);
        Assert.Equal(SimulatedLoads.SmallRing.StagingSize, _gpu.Driver.PinnedBytes);
    }
}
