using System.Diagnostics;
using TorchSharp;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>The copy is written beside the load: the disk holds nobody back, and what happens after the load does not reach the file.</summary>
public sealed class WritingTests : CacheTest
{
    private readonly TaskCompletionSource _disk = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The limit is a guard: a loader waits for its writes, also in a test that has failed.
    private Task Disk() => _disk.Task.WaitAsync(TimeSpan.FromMinutes(2), Token);

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Changes_of_tensors_while_the_copy_is_written_do_not_reach_the_copy(TensorStorage storage)
    {
        await using WeightLoader loader = Loader(new() { BeforeWrite = Disk });
        using (WeightSet weights = await loader.LoadTensorsAsync(Uri, new() { Storage = storage }, cancellationToken: Token))
        {
            foreach (torch.Tensor tensor in weights.Values)
            {
                tensor.zero_();
            }

            Assert.False(weights.Caching.IsCompleted);
            _disk.SetResult();
            Assert.True(await weights.Caching);
        }

        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_hanging_disk_delays_no_load_and_takes_no_memory_beyond_the_limit()
    {
        var load = new TensorLoadOptions { MemoryLimit = NoiseFile.Bytes.Length + (3L << 20) };
        TransferOptions little = Quick with { BufferLimit = 3 << 20 };
        await using (WeightLoader loader = Loader(new() { BeforeWrite = Disk }, little))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, load, cancellationToken: Token);
            NoiseFile.AssertIn(weights);
            _disk.SetResult();
            Assert.False(await weights.Caching);
        }

        Assert.Contains("slower than the source", Assert.Single(Log.Warnings), StringComparison.Ordinal);

        // What was kept is kept, and the next load fetches the rest.
        Server.Requests.Clear();
        Assert.True(await LoadAsync());
        Assert.InRange(Sent, 1, NoiseFile.Bytes.Length - 1);
        await AssertCachedAsync();
    }

    [Fact]
    public async Task Disposing_the_loader_waits_until_the_copy_is_written()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        WeightLoader loader = Loader(new()
        {
            BeforeWrite = () =>
            {
                reached.TrySetResult();
                return Disk();
            },
        });
        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);

        // The write that the disk holds up cannot end before the last line, so neither can what waits for it.
        Task disposing = loader.DisposeAsync().AsTask();
        await reached.Task.WaitAsync(Token);
        Assert.False(disposing.IsCompleted);
        _disk.SetResult();
        await disposing;

        Assert.True(weights.Caching.IsCompleted);
        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_cancelled_load_leaves_its_bytes_in_the_cache_for_the_next_load()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.Payload < 6 ? null : Respond.After(() => Task.FromResult(reached.TrySetResult()), Respond.Silence);
        await using (WeightLoader loader = Loader())
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
            Task<WeightSet> load = loader.LoadTensorsAsync(Uri, cancellationToken: cancel.Token);
            await reached.Task.WaitAsync(Token);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load);
        }

        Assert.True(IsPartial());
        Server.Answer = static _ => null;
        Server.Requests.Clear();
        Assert.True(await LoadAsync());
        Assert.InRange(Sent, 1, NoiseFile.Bytes.Length - 400_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_copy_equals_its_file_after_random_transfer_faults(int seed)
    {
        var random = new Random(seed);
        Server.Answer = request => random.Next(6) switch
        {
            0 => Respond.AbortAfter(random.Next(200_000)),
            1 => Respond.TruncateAfter(random.Next(200_000)),
            2 => Respond.StallAfter(random.Next(200_000)),
            3 => Respond.Status(503, "0"),
            _ => null,
        };
        TransferOptions patient = Quick with { Attempts = 30, StallTimeout = TimeSpan.FromMilliseconds(300) };
        await using (WeightLoader loader = Loader(transfer: patient))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            NoiseFile.AssertIn(weights);
            Assert.True(await weights.Caching);
        }

        await AssertCachedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_changes_during_a_load_fails_the_load_and_damages_no_copy(bool isTyped)
    {
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.OtherBytes);
        Server.Answer = request => request.Payload == 5
            ? Respond.After(
                () =>
                {
                    Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
                    return Task.CompletedTask;
                },
                again => Respond.Serve(new FaultRequest(again.Context, Server.Files["/" + NoiseFile.Name], again.Aborted)))
            : null;
        await using (WeightLoader loader = Loader())
        {
            await Assert.ThrowsAsync<WeightSourceException>(async () =>
            {
                using IDisposable loaded = isTyped
                    ? await loader.LoadAsync<NoiseModel>(Uri, null, null, Token)
                    : await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            });
        }

        Assert.True(await LoadAsync());
        await AssertCachedAsync();
        await LoadAsync(new() { Cache = CacheMode.Offline });
    }

    [Fact]
    public async Task A_load_onto_a_full_disk_succeeds_without_a_copy()
    {
        using SmallDisk disk = await SmallDisk.MountAsync(Folder["disk"], "2m");
        string cache = Path.Combine(disk.Path, "cache");
        await using (WeightLoader loader = Loader(folder: cache))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            NoiseFile.AssertIn(weights);
            Assert.False(await weights.Caching);
        }

        Assert.Contains("the disk is full", Assert.Single(Log.Warnings), StringComparison.Ordinal);

        // And what fitted is used, now and on.
        await using WeightLoader another = Loader(folder: cache);
        using WeightSet again = await another.LoadTensorsAsync(Uri, cancellationToken: Token);
        NoiseFile.AssertIn(again);
    }

    /// <summary>A file system in memory that is soon full.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private SmallDisk(string path) => Path = path;

        public string Path { get; }

        public static async Task<SmallDisk> MountAsync(string path, string size)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "a small file system is made with Linux's tmpfs");
            Directory.CreateDirectory(path);
            int code = await RunAsync("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", path);
            Assert.SkipUnless(code == 0, "this user may not mount a small file system");
            return new SmallDisk(path);
        }

        public void Dispose() => RunAsync("umount", "--lazy", Path).GetAwaiter().GetResult();

        private static async Task<int> RunAsync(string program, params string[] arguments)
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
    }
}
