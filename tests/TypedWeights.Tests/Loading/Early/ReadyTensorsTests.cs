using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Devices.Cpu;
using TypedWeights.Loading;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tests.Loading.Early;

/// <summary>A tensor is told of when its sink says so, not when its bytes have been committed. The sink is a double for a device's.</summary>
public sealed class ReadyTensorsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_tensor_is_reported_when_its_sink_says_ready_and_the_transfer_ends_after_the_last()
    {
        await using var sink = new LateSink();
        var told = new List<int>();
        Task transfer = await BeginAsync(sink, told.Add);
        await sink.WhenAskedAsync(3);

        Assert.Empty(told);
        sink.Land(2);
        await Eventually.BecomesAsync(() => told.Count == 1, () => "a tensor without bytes was not told of");
        sink.Land(1);
        await Eventually.BecomesAsync(() => told.Count == 2, () => "a landed tensor was not told of");
        Assert.False(transfer.IsCompleted);
        sink.Land(0);
        await transfer.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal([2, 1, 0], told);
    }

    [Fact]
    public async Task A_failed_wait_for_a_tensor_fails_the_transfer_with_its_error()
    {
        await using var sink = new LateSink();
        Task transfer = await BeginAsync(sink, static _ => { });
        await sink.WhenAskedAsync(3);

        sink.Land(2);
        sink.Land(0);
        sink.Fail(1, new WeightsException("lost"));

        Assert.Equal("lost", (await Assert.ThrowsAsync<WeightsException>(() => transfer)).Message);
    }

    [Fact]
    public async Task A_tensor_with_a_wrong_digest_is_never_reported_as_ready()
    {
        string right = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(TestFile.Noise("b", "U8", 8, 100).Data));
        await using var sink = new PerTensorSink();
        var told = new System.Collections.Concurrent.ConcurrentQueue<int>();

        Task transfer = await BeginAsync(
            sink, told.Enqueue, selection => new DigestCheck(sink, selection, name => name == "empty" ? null : right, "m.safetensors"));

        WeightMismatchException error = await Assert.ThrowsAsync<WeightMismatchException>(
            () => transfer.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));
        Assert.Equal("a", Assert.Single(error.Mismatches).Name);
        Assert.DoesNotContain(0, told);
    }

    private async Task<Task> BeginAsync(ITensorSink sink, Action<int> ready, Func<TensorSelection, DigestCheck>? check = null)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        string path = TestFile.Write(
            _folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 100_000), TestFile.Noise("b", "U8", 8, 100), TestFile.F32("empty", [0])]);
        var context = new TransferContext();
        var sources = new SourceRegistry(context, [new FileProvider()]);
        WeightUri uri = WeightUri.Parse(path);
        Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await sources.LocateAsync(uri, token), token);
        TensorSelection selection = TensorSelection.All(checkpoint);
        sink.SetSelection(selection, new Lazy<UseOrder>(new UseOrder([0, 0, 0])));
        TransferPlan plan = TransferPlan.Create(checkpoint.Files, selection.Tensors, PartLimits.Local);
        DigestCheck? digests = check?.Invoke(selection);
        var observer = new ReadyTensors(digests is null ? sink.WhenReadyAsync : digests.WhenCheckedAsync, ready);
        var job = new TransferJob(plan, [.. checkpoint.Files.Select(file => file.Source)], sink, ReaderLimits.Local)
        {
            Observers = digests is null ? [observer] : [digests, observer],
        };
        return RunAsync();

        async Task RunAsync()
        {
            await using (checkpoint)
            await using (sources)
            {
                await TransferRunner.RunAsync(job, context, token);
            }
        }
    }

    private sealed class LateSink : PerTensorSink
    {
        private readonly TaskCompletionSource[] _landed =
            [.. Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

        private int _asked;

        public override ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            return new ValueTask(_landed[tensor].Task.WaitAsync(cancellationToken));
        }

        public Task WhenAskedAsync(int times) => Eventually.BecomesAsync(() => _asked == times, () => $"{_asked} tensors were asked for");

        public void Land(int tensor) => _landed[tensor].SetResult();

        public void Fail(int tensor, Exception failure) => _landed[tensor].SetException(failure);
    }
}
