using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Tests.Loading;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Devices;

public sealed class ArenaTests : IDisposable
{
    private const int Large = 24 << 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tensors_of_all_dtypes_are_adjacent_in_the_arena_in_the_order_of_the_file()
    {
        string path = TestFile.Write(
            _folder["m.safetensors"],
            [TestFile.Noise("b", "BF16", 16, 64, 8), TestFile.Noise("a", "F32", 32, 16), TestFile.Noise("odd", "U8", 8, 3),
                TestFile.Noise("z", "F64", 64, 1)]);

        using WeightSet weights = await LoadAsync(path);

        long[] addresses = [.. new[] { "b", "a", "odd", "z" }.Select(name => (long)TensorData.Address(weights[name]))];
        Assert.All(addresses, address => Assert.Equal(0, address % 64));
        Assert.Equal(addresses[0] + 1024, addresses[1]);
        Assert.Equal(addresses[1] + 64, addresses[2]);
        Assert.Equal(addresses[2] + 64, addresses[3]);
    }

    [Fact]
    public async Task A_large_arena_starts_at_a_huge_page_and_is_advised_to_use_huge_pages()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("large", "U8", 8, Large)]);

        using WeightSet weights = await LoadAsync(path);
        nint address = TensorData.Address(weights["large"]);

        // The arena's first byte is a huge page's; the tensor lies behind it as it does in the file's first page, but for the cache line.
        long inFile = new FileInfo(path).Length - Large;
        Assert.Equal(inFile & -HeapRegion.SmallAlignment, address % HeapRegion.HugePage);
        Assert.True(ProcessMemory.IsAdvisedHuge(address));
    }

    [Fact]
    public async Task A_large_arena_without_huge_pages_holds_the_same_bytes()
    {
        TestFile.Entry entry = TestFile.Noise("large", "U8", 8, Large);
        string path = TestFile.Write(_folder["m.safetensors"], [entry]);
        using var portable = new PortableMemoryScope();

        using WeightSet weights = await LoadAsync(path);

        Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights["large"])));

        // Of the region itself: the allocator may reuse addresses that an earlier arena had advised.
        using HeapRegion region = HeapRegion.Allocate(Large);
        Assert.False(region.HasHugePages);
    }

    [Fact]
    public async Task A_small_arena_uses_no_huge_page()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("small", "U8", 8, 1000)]);

        using WeightSet weights = await LoadAsync(path);

        using HeapRegion region = HeapRegion.Allocate(weights["small"].numel());
        Assert.False(region.HasHugePages);
    }

    [Fact]
    public async Task The_arena_is_freed_with_its_last_tensor_so_that_a_detached_tensor_keeps_it()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(
            _folder["m.safetensors"],
            [TestFile.Noise("small", "U8", 8, 1000), .. Enumerable.Range(0, 8).Select(i => TestFile.Noise($"l{i}", "U8", 8, Large))]);
        ProcessMemory.Settle();
        long tensors = NativeTensors.Count();
        long before = ProcessMemory.Resident;

        WeightSet weights = await LoadAsync(path);
        long loaded = ProcessMemory.Resident;
        Tensor small = weights.Detach("small");
        weights.Dispose();
        long detached = ProcessMemory.Resident;
        small.Dispose();
        long after = ProcessMemory.Resident;

        NativeTensors.AssertNoneSince(tensors);
        Assert.InRange(loaded - before, 7L * Large, 10L * Large);
        Assert.InRange(detached - before, 7L * Large, 10L * Large);
        Assert.InRange(after - before, -2L * Large, 2L * Large);
    }

    [Fact]
    public void The_arena_is_freed_when_its_undisposed_tensors_are_garbage_collected()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(_folder["m.safetensors"], [.. Enumerable.Range(0, 8).Select(i => TestFile.Noise($"l{i}", "U8", 8, Large))]);
        ProcessMemory.Settle();
        long before = ProcessMemory.Resident;

        // On a thread that ends, so that no local and no state machine keeps the set alive.
        long loaded = 0;
        var thread = new Thread(() => loaded = LoadAsync(path).GetAwaiter().GetResult().Count);
        thread.Start();
        thread.Join();
        Assert.Equal(8, loaded);
        for (int i = 0; i < 20 && ProcessMemory.Resident - before > 2L * Large; i++)
        {
            ProcessMemory.Settle();
        }

        Assert.InRange(ProcessMemory.Resident - before, -2L * Large, 2L * Large);
    }

    [Fact]
    public async Task Changing_one_weight_between_forward_and_backward_does_not_invalidate_the_others()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [2, 2], 1, 2, 3, 4), TestFile.F32("running_mean", [2], 0, 0)]);
        using WeightSet weights = await LoadAsync(path);
        using Tensor x = ones(2, 2, requires_grad: true);

        using Tensor loss = x.mm(weights["w"].requires_grad_(true)).sum();
        weights["running_mean"].add_(1);
        loss.backward();

        Assert.Equal(3f, x.grad![0, 0].item<float>());
        Assert.Equal(2f, weights["w"].grad![0, 0].item<float>());
    }

    [Fact]
    public async Task Saving_one_tensor_of_the_arena_with_torch_writes_only_that_tensor()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [2], 1, 2), TestFile.Noise("large", "U8", 8, 1 << 20)]);
        using WeightSet weights = await LoadAsync(path);

        weights["w"].save(_folder["w.pt"]);

        Assert.InRange(new FileInfo(_folder["w.pt"]).Length, 1, 10_000);
    }

    [Fact]
    public async Task Adjacent_tensors_of_the_arena_are_saved_and_load_again()
    {
        TestFile.Entry[] entries = [TestFile.Noise("a", "BF16", 16, 64, 8), TestFile.Noise("b", "BF16", 16, 32), TestFile.Noise("c", "U8", 8, 7)];
        using WeightSet weights = await LoadAsync(TestFile.Write(_folder["m.safetensors"], entries));

        await weights.SaveAsync(_folder["again.safetensors"], TestContext.Current.CancellationToken);
        using WeightSet again = await LoadAsync(_folder["again.safetensors"]);

        Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(again[entry.Name])));
    }

    [Fact]
    public async Task A_load_cancelled_halfway_frees_its_arena()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(_folder["m.safetensors"], [.. Enumerable.Range(0, 8).Select(i => TestFile.Noise($"l{i}", "U8", 8, Large))]);
        ProcessMemory.Settle();
        long tensors = NativeTensors.Count();
        long before = ProcessMemory.Resident;
        using var cancelled = new CancellationTokenSource();
        await using WeightLoader loader = new WeightLoaderBuilder().UseTimeProvider(new HurriedClock()).Build();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => loader.LoadTensorsAsync(path, progress: new CancelOnReport(cancelled), cancellationToken: cancelled.Token));

        NativeTensors.AssertNoneSince(tensors);
        Assert.InRange(ProcessMemory.Resident - before, -2L * Large, 2L * Large);
    }

    [Fact]
    public async Task PerTensor_storage_gives_each_tensor_its_own_allocation()
    {
        ProcessMemory.SkipUnlessLinux();
        string path = TestFile.Write(
            _folder["m.safetensors"],
            [TestFile.Noise("small", "U8", 8, 1000), .. Enumerable.Range(0, 8).Select(i => TestFile.Noise($"l{i}", "U8", 8, 2 * Large))]);
        ProcessMemory.Settle();
        long before = ProcessMemory.Resident;

        WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(
            path, new TensorLoadOptions { Storage = TensorStorage.PerTensor }, cancellationToken: TestContext.Current.CancellationToken);
        using Tensor small = weights.Detach("small");
        weights.Dispose();

        Assert.InRange(ProcessMemory.Resident - before, -2L * Large, 2L * Large);
        Assert.Equal(1000, small.numel());
    }

    [Fact]
    public async Task Freed_memory_between_kept_tensors_returns_to_the_system()
    {
        ProcessMemory.SkipUnlessLinux();
        Assert.SkipUnless(FreedMemory.CanTrim, "this C library is not glibc");

        // Small enough to lie in the C library's heap, and some of them kept all over it: it gives nothing back by itself then.
        const int Small = 60_000;
        const int Count = 2000;
        string path = TestFile.Write(_folder["m.safetensors"], [.. Enumerable.Range(0, Count).Select(i => TestFile.Noise($"t{i}", "U8", 8, Small))]);
        ProcessMemory.Settle();
        long before = ProcessMemory.Resident;
        WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(
            path, new TensorLoadOptions { Storage = TensorStorage.PerTensor }, cancellationToken: TestContext.Current.CancellationToken);
        Tensor[] kept = [.. Enumerable.Range(0, Count / 20).Select(i => weights.Detach($"t{i * 20}"))];
        try
        {
            weights.Dispose();

            await Eventually.BecomesAsync(
                () => ProcessMemory.Resident - before < (long)Small * Count / 2,
                () => $"{ProcessMemory.Resident - before} bytes are still there");
        }
        finally
        {
            Array.ForEach(kept, static tensor => tensor.Dispose());
        }
    }

    [Fact]
    public async Task Freed_memory_of_many_small_sets_returns_to_the_system()
    {
        ProcessMemory.SkipUnlessLinux();
        Assert.SkipUnless(FreedMemory.CanTrim, "this C library is not glibc");

        // Each set is too small to look through the heaps for it, and what is kept of each lies all over them.
        const int Small = 60_000;
        const int Count = 300;
        const int Sets = 10;
        string path = TestFile.Write(_folder["m.safetensors"], [.. Enumerable.Range(0, Count).Select(i => TestFile.Noise($"t{i}", "U8", 8, Small))]);
        ProcessMemory.Settle();
        long before = ProcessMemory.Resident;
        var sets = new List<WeightSet>();
        var kept = new List<Tensor>();
        for (int i = 0; i < Sets; i++)
        {
            sets.Add(await WeightLoader.Default.LoadTensorsAsync(
                path, new TensorLoadOptions { Storage = TensorStorage.PerTensor }, cancellationToken: TestContext.Current.CancellationToken));
            kept.AddRange(Enumerable.Range(0, Count / 20).Select(j => sets[i].Detach($"t{j * 20}")));
        }

        try
        {
            foreach (WeightSet set in sets)
            {
                set.Dispose();
            }

            await Eventually.BecomesAsync(
                () => ProcessMemory.Resident - before < (long)Small * Count * Sets / 2,
                () => $"{ProcessMemory.Resident - before} bytes are still there");
        }
        finally
        {
            kept.ForEach(static tensor => tensor.Dispose());
        }
    }

    [Fact]
    public async Task An_undefined_storage_value_is_refused()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [1], 1)]);

        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => WeightLoader.Default.LoadTensorsAsync(
            path, new TensorLoadOptions { Storage = (TensorStorage)9 }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(nameof(TensorLoadOptions.Storage), error.ParamName);
    }

    private static Task<WeightSet> LoadAsync(string path) =>
        WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

    // Every look at it is a second later, so that a report is due with every read.
    private sealed class HurriedClock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Increment(ref _seconds);
    }

    private sealed class CancelOnReport(CancellationTokenSource source) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => source.Cancel();
    }
}
