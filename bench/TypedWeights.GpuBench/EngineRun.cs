using System.Diagnostics;
using TypedWeights.Checkpoints;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Sources.Urls;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.GpuBench;

/// <summary>One run of the reading engine from a location into a sink, without tensors.</summary>
internal static class EngineRun
{
    /// <summary>Returns the bytes per second.</summary>
    public static async Task<double> RunAsync(string uri, Func<IWeightSink> sink)
    {
        var context = new TransferContext(new TransferOptions());
        await using var registry = new SourceRegistry(
            context, [new FileProvider(), new UrlProvider(new HttpOptions())]);
        WeightUri parsed = WeightUri.Parse(uri);
        IWeightLocation location = await registry.LocateAsync(parsed, default);
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(parsed, location, default);
        await using IWeightSink into = sink();
        var plan = TransferPlan.Create(
            checkpoint.Files,
            TensorSelection.All(checkpoint).Tensors,
            PartLimits.For(context.Options, location.IsRemote),
            segmentSize: into.SegmentSize);
        var job = new TransferJob(
            plan, [.. checkpoint.Files.Select(static file => file.Source)], into, ReaderLimits.For(context.Options, location.IsRemote));
        long start = Stopwatch.GetTimestamp();
        await TransferRunner.RunAsync(job, context, default);
        return plan.TotalBytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>Drops all bytes, through a few buffers that stay warm: measures the highest rate of a source.</summary>
internal sealed class DroppingSink : IWeightSink
{
    private const int Size = 2 << 20;

    private readonly System.Collections.Concurrent.ConcurrentBag<byte[]> _buffers = [];

    public long SegmentSize => Size;

    public void Allocate(TransferPlan plan)
    {
        // Nothing is kept.
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Length + by.Length <= Size;

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        byte[] buffer = _buffers.TryTake(out byte[]? spare) ? spare : GC.AllocateArray<byte>(Size, pinned: true);
        return ValueTask.FromResult(buffer.AsMemory(0, (int)segment.Length));
    }

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        if (System.Runtime.InteropServices.MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> buffer))
        {
            _buffers.Add(buffer.Array!);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
