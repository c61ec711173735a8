using TypedWeights.Checkpoints;
using TypedWeights.Memory;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Bench.Files;

/// <summary>Memory that exists and has been written to. Each round fills it again through the engine that loads tensors.</summary>
internal sealed class TouchedMemory : IWeightSink
{
    private readonly HeapRegion _region;
    private readonly List<long> _offsets = [];

    public TouchedMemory(long length)
    {
        _region = HeapRegion.Allocate(length);
        new NativeMemoryManager(_region.Address, checked((int)length)).GetSpan().Fill(1);
    }

    /// <summary>
    /// Measures one read of a file. The memory is allocated before the clock starts, as in the C program, and so are the sources, as in a
    /// loader.
    /// </summary>
    public static async Task<Sample> MeasureAsync(string path)
    {
        await using var touched = new TouchedMemory(new FileInfo(path).Length);
        var context = new TransferContext();
        await using SourceRegistry registry = new SourceRegistryBuilder().Build(context);
        return await Sample.OfAsync(() => touched.FillAsync(path, registry, context));
    }

    /// <param name="uri">A path, or a URL.</param>
    /// <param name="sources">The sources, which are disposed at the end; null for the built-in ones.</param>
    public async Task FillAsync(string uri, SourceRegistryBuilder? sources = null)
    {
        var context = new TransferContext();
        await using SourceRegistry registry = (sources ?? new SourceRegistryBuilder()).Build(context);
        await FillAsync(uri, registry, context);
    }

    private async Task FillAsync(string uri, SourceRegistry registry, TransferContext context)
    {
        WeightUri parsed = WeightUri.Parse(uri);
        IWeightLocation location = await registry.LocateAsync(parsed, CancellationToken.None);
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(parsed, location);
        var limits = PartLimits.For(context.Options, location.IsRemote);
        TransferPlan plan = TransferPlan.Create(checkpoint.Files, TensorSelection.All(checkpoint).Tensors, limits);
        var job = new TransferJob(
            plan, [.. checkpoint.Files.Select(file => file.Source)], this, ReaderLimits.For(context.Options, location.IsRemote));
        await TransferRunner.RunAsync(job, context, CancellationToken.None);
    }

    public void Allocate(TransferPlan plan)
    {
        _offsets.Clear();
        _offsets.AddRange(plan.Tensors.Select(tensor => plan.Files[tensor.File].Header.DataStart + tensor.Info.Begin));
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) =>
        _offsets[segment.Tensor] + segment.Offset + segment.Length == _offsets[by.Tensor] + by.Offset;

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) => ValueTask.FromResult(
        new NativeMemoryManager(_region.Address + (nint)(_offsets[segment.Tensor] + segment.Offset), (int)segment.Length).Memory);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _region.Dispose();
        return ValueTask.CompletedTask;
    }
}
