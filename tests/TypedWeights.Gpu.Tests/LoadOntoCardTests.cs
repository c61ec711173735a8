using TorchSharp;

namespace TypedWeights.Tests.Gpu;

public sealed class LoadOntoCardTests : IDisposable
{
    private static readonly TransferOptions SmallRing = new() { StagingSize = 1 << 20 };

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Every_byte_of_a_file_arrives_on_the_GPU(TensorStorage storage)
    {
        Card.Require();
        TestFile.Entry[] entries = Entries();
        string path = TestFile.Write(_folder["m.safetensors"], entries);
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(SmallRing).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(path, new() { Device = Card.Device, Storage = storage }, cancellationToken: Token);

        Assert.All(entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(Card.BytesOf(weights[entry.Name])), entry.Name));
        Assert.All(weights.Values, tensor => Assert.Equal((DeviceType.CUDA, 0), (tensor.device_type, tensor.device_index)));
    }

    [Fact]
    public async Task Tensors_on_the_GPU_can_be_used_right_after_the_load()
    {
        Card.Require();
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [2, 2], 1, 2, 3, 4), TestFile.F32("b", [2], 10, 20)]);
        await using WeightLoader loader = new WeightLoaderBuilder().Build();

        using WeightSet weights = await loader.LoadTensorsAsync(path, new() { Device = Card.Device }, cancellationToken: Token);
        using torch.Tensor x = torch.ones(1, 2, device: Card.Device);
        using torch.Tensor y = x.mm(weights["w"]).add(weights["b"]);

        Assert.Equal(10f + 20 + 1 + 2 + 3 + 4, y.sum().item<float>());
    }

    [Fact]
    public async Task A_load_does_not_overwrite_freed_memory_that_kernels_still_read()
    {
        Card.Require();
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [4 << 20], new float[4 << 20])]);
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        for (int round = 0; round < 20; round++)
        {
            using torch.Tensor sum = torch.zeros(1, device: Card.Device);
            using (torch.Tensor ones = torch.ones(4 << 20, device: Card.Device))
            {
                for (int i = 0; i < 100; i++)
                {
                    using torch.Tensor part = ones.sum();
                    sum.add_(part);
                }
            }

            // Into the memory that has just been freed, while the sums may be under way.
            using WeightSet weights = await loader.LoadTensorsAsync(path, new() { Device = Card.Device }, cancellationToken: Token);

            Assert.Equal(100f * (4 << 20), sum.item<float>());
            Assert.Equal(0f, weights["w"].abs().sum().item<float>());
        }
    }

    [Fact]
    public async Task Completed_and_cancelled_loads_free_all_memory_of_the_GPU()
    {
        Card.Require();
        string path = TestFile.Write(_folder["m.safetensors"], Entries());
        long free = 0;
        for (int round = 0; round < 30; round++)
        {
            await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(SmallRing).Build();
            using var cancel = new CancellationTokenSource();
            try
            {
                using WeightSet weights = await loader.LoadTensorsAsync(
                    path, new() { Device = Card.Device }, round % 2 == 0 ? null : new CancelAtFirst(cancel), cancel.Token);
            }
            catch (OperationCanceledException)
            {
                // Every second round.
            }

            // The first rounds fill libtorch's cache.
            free = round < 4 ? Card.FreeMemory() : free;
        }

        Assert.InRange(Card.FreeMemory(), free - (8 << 20), long.MaxValue);
    }

    [Fact]
    public async Task Tensors_larger_than_the_GPU_memory_are_refused_with_the_numbers()
    {
        Card.Require();
        using FileStream sparse = File.Create(_folder["m.safetensors"]);
        byte[] header = System.Text.Encoding.UTF8.GetBytes("{\"a\":{\"dtype\":\"U8\",\"shape\":[4398046511104],\"data_offsets\":[0,4398046511104]}}");
        sparse.Write(BitConverter.GetBytes((long)header.Length));
        sparse.Write(header);
        sparse.SetLength(8 + header.Length + (4L << 40));
        sparse.Flush();
        await using WeightLoader loader = new WeightLoaderBuilder().Build();

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
            () => loader.LoadTensorsAsync(sparse.Name, new() { Device = Card.Device }, cancellationToken: Token));

        Assert.Equal(4L << 40, error.TensorBytes);
    }

    private static TestFile.Entry[] Entries() =>
    [
        TestFile.Noise("large", "BF16", 16, 4096, 1024),
        .. Enumerable.Range(0, 300).Select(i => TestFile.Noise($"tiny.{i}", "F32", 32, i + 1)),
        TestFile.Noise("odd", "U8", 8, 3_000_001),
        TestFile.F32("scale", [], 0.5f),
    ];

    private sealed class CancelAtFirst(CancellationTokenSource source) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => source.Cancel();
    }
}
