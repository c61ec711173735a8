using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tests.Transfer;

/// <summary>How many read a file of this machine at once. The source is a double: how warm a real one is, is the system's to say.</summary>
public sealed class DiskReadersTests
{
    private const int Parts = 40;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_in_the_page_cache_are_read_by_at_most_one_reader_for_each_core()
    {
        var source = new DiskSource { BeforeRead = _ => Task.Delay(2, Token) };
        await ReadAllAsync(source);
        Assert.Equal(Parts, source.Reads);
        Assert.InRange(source.Most, 1, Math.Min(Environment.ProcessorCount, 8));
    }

    [Fact]
    public async Task A_source_that_waits_for_the_disk_is_read_by_eight_readers_at_once()
    {
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var source = new DiskSource();
        source.BeforeRead = async running =>
        {
            if (!source.WaitsForDisk)
            {
                source.WaitsForDisk = true;
                return;
            }

            if (running == 8)
            {
                all.TrySetResult();
            }

            await all.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        };
        await ReadAllAsync(source);
        Assert.Equal((Parts, 8), (source.Reads, source.Most));
    }

    [Fact]
    public async Task Work_queued_in_the_thread_pool_runs_before_a_load_that_never_waits_is_over()
    {
        int begun = 0, readsBefore = Parts;
        var source = new DiskSource();
        source.BeforeRead = _ =>
        {
            if (Interlocked.Exchange(ref begun, 1) == 0)
            {
                ThreadPool.QueueUserWorkItem(_ => readsBefore = source.Reads);
            }

            // A copy: it keeps its thread.
            Thread.Sleep(6);
            return Task.CompletedTask;
        };
        await ReadAllAsync(source);
        Assert.InRange(readsBefore, 1, Parts / 2);
    }

    private static async Task ReadAllAsync(DiskSource source)
    {
        CheckpointFile planned = PlannedFiles.Of("m.safetensors", [.. Enumerable.Repeat(64L, Parts)]);
        CheckpointFile[] files = [planned with { Source = source }];
        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), new PartLimits(64, 0, 1));
        Assert.Equal(Parts, plan.Ranges.Count);
        await using var sink = new MemorySink();
        await TransferRunner.RunAsync(new TransferJob(plan, [source], sink, ReaderLimits.Local), new TransferContext(), Token);
    }

    private sealed class DiskSource : IDiskSource
    {
        private readonly Lock _lock = new();
        private int _running;

        public string Display => "m.safetensors";

        public long Length => 1 << 20;

        public string? Validator => null;

        public bool WaitsForDisk { get; set; }

        public int Reads { get; private set; }

        public int Most { get; private set; }

        public Func<int, Task> BeforeRead { get; set; } = static _ => Task.CompletedTask;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken) =>
            new(new Reader(this));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task ReadAsync()
        {
            int running;
            lock (_lock)
            {
                running = ++_running;
                Most = Math.Max(Most, running);
                Reads++;
            }

            await BeforeRead(running);
            lock (_lock)
            {
                _running--;
            }
        }

        private sealed class Reader(DiskSource source) : IRangeReader
        {
            public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
            {
                await source.ReadAsync();
                return destination.Length;
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
