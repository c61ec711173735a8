using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Devices.Cuda;
using TypedWeights.Sources;
using TypedWeights.Streaming;
using TypedWeights.Streaming.Limits;
using TypedWeights.Streaming.Planning;

namespace TypedWeights;

/// <summary>One load, from a URI to tensors by name: locate, read the headers, select, plan, read.</summary>
/// <param name="sources">The loader's stores.</param>
/// <param name="cuda">The loader's way to GPUs.</param>
/// <param name="log">The loader's lines.</param>
/// <param name="time">The loader's clock.</param>
/// <param name="uri">What to load.</param>
/// <param name="options">How.</param>
/// <param name="title">What the tensors are called in messages.</param>
/// <param name="progress">Is told how far it has come.</param>
internal sealed class LoadSession(
    SourceRegistry sources,
    CudaEngine cuda,
    LoadLog log,
    TimeProvider time,
    WeightUri uri,
    LoadOptions options,
    string title,
    IProgress<LoadProgress>? progress)
{
    /// <summary>Loads.</summary>
    /// <param name="select">Checks a checkpoint and chooses what is read of it.</param>
    /// <param name="manifest">What the checkpoint is expected to be, if anything is known.</param>
    /// <param name="cancellationToken">Ends the load.</param>
    public async Task<WeightSet> RunAsync(
        Func<Checkpoint, TensorSelection> select, WeightManifest? manifest, CancellationToken cancellationToken)
    {
        // First of all, as it refuses devices that are not served.
        ITensorSink sink = TensorSinks.Create(options, cuda);
        await using (sink.ConfigureAwait(false))
        {
            IWeightLocation location = await sources.LocateAsync(uri, cancellationToken).ConfigureAwait(false);
            if (manifest is not null && sink.OwnsMemory && ExpectedCheckpoint.TryOpen(manifest, uri, location) is { } expected)
            {
                await using (expected.ConfigureAwait(false))
                {
                    return await RunAheadAsync(location, expected, select, sink, cancellationToken).ConfigureAwait(false);
                }
            }

            Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, location, cancellationToken).ConfigureAwait(false);
            await using (checkpoint.ConfigureAwait(false))
            {
                return await LoadAsync(checkpoint, select(checkpoint), sink, location.IsRemote, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Payload first, as the manifest knows where it should lie, into memory that nobody sees; the headers beside it. What they say counts.
    private async Task<WeightSet> RunAheadAsync(
        IWeightLocation location,
        Checkpoint expected,
        Func<Checkpoint, TensorSelection> select,
        ITensorSink sink,
        CancellationToken cancellationToken)
    {
        using var drop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task transfer = TransferAsync(expected, select(expected), sink, location.IsRemote, drop.Token);
        try
        {
            IWeightLocation withHeaders = ExpectedCheckpoint.WithHeaders(location, expected);
            Checkpoint live = await CheckpointReader.ReadAsync(uri, withHeaders, cancellationToken).ConfigureAwait(false);
            await using (live.ConfigureAwait(false))
            {
                TensorSelection selection = select(live);
                if (ExpectedCheckpoint.HasLayout(live, expected))
                {
                    await transfer.ConfigureAwait(false);
                    if (ExpectedCheckpoint.HasValidators(live, expected))
                    {
                        return Collect(live, selection, sink);
                    }
                }

                // Laid out otherwise, or replaced in between: what came is dropped, and its memory given back, before all is read anew.
                await EndAsync(transfer, drop).ConfigureAwait(false);
                await sink.DisposeAsync().ConfigureAwait(false);
                ITensorSink another = TensorSinks.Create(options, cuda);
                await using (another.ConfigureAwait(false))
                {
                    return await LoadAsync(live, selection, another, location.IsRemote, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            // No way out of here leaves somebody writing into the sink's memory.
            await EndAsync(transfer, drop).ConfigureAwait(false);
        }
    }

    private async Task<WeightSet> LoadAsync(
        Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote, CancellationToken cancellationToken)
    {
        await TransferAsync(checkpoint, selection, sink, isRemote, cancellationToken).ConfigureAwait(false);
        return Collect(checkpoint, selection, sink);
    }

    private async Task TransferAsync(
        Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote, CancellationToken cancellationToken)
    {
        TransferOptions transfer = sources.Context.Options;
        TransferPlan plan = TransferPlan.Create(
            checkpoint.Files, selection.Tensors, PartLimits.For(transfer, isRemote), sink.Reads, sink.SegmentSize);
        var need = MemoryNeed.Of(plan, transfer, isRemote, options.MemoryLimit, sink.Layout(plan));
        need.ThrowIfBeyond(uri.Display, transfer, options.MemoryLimit, isRemote);
        LoadLog.Load lines = log.Start(checkpoint, plan);
        sink.Allocate(plan);
        var tracker = new ProgressTracker(
            plan,
            now =>
            {
                lines.Running(now);
                progress?.Report(now);
            },
            time);
        await RangeScheduler.RunAsync(
            plan,
            [.. checkpoint.Files.Select(static file => file.Source)],
            sink,
            ReaderLimits.For(transfer, isRemote) with { SpareBytes = need.SpareBytes },
            sources.Context,
            tracker,
            cancellationToken).ConfigureAwait(false);
        lines.Finished(tracker.Finish());
    }

    private static async Task EndAsync(Task transfer, CancellationTokenSource drop)
    {
        await drop.CancelAsync().ConfigureAwait(false);
        await transfer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private WeightSet Collect(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink)
    {
        IReadOnlyList<torch.Tensor> tensors = sink.TakeTensors();
        var weights = new WeightSet(title, checkpoint.Revision, checkpoint.Metadata, selection.Names.Count);
        var taken = new bool[tensors.Count];
        foreach ((string name, int index) in selection.Names)
        {
            // Another name of the same tensor is another handle on one storage: each is disposed once, libtorch frees the memory once.
            torch.Tensor tensor = taken[index] ? tensors[index].alias().DetachFromDisposeScope() : tensors[index];
            taken[index] = true;
            TensorInfo info = selection.Tensors[index].Info;
            weights.Add(name, info.DType, info.Shape, tensor);
        }

        return weights;
    }
}
