using TorchSharp;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Devices.Cuda;
using TypedWeights.Loading;
using TypedWeights.Loading.Early;
using TypedWeights.Memory;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

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
/// <param name="cache">The load's part of the local cache; null where it goes without.</param>
/// <param name="early">Gives the tensors away as they come; null for a load that returns when it is complete.</param>
internal sealed class LoadSession(
    SourceRegistry sources,
    CudaEngine cuda,
    LoadLog log,
    TimeProvider time,
    WeightUri uri,
    LoadOptions options,
    string title,
    IProgress<LoadProgress>? progress,
    CacheRun? cache,
    EarlyLoad? early) : IDisposable
{
    private readonly TransferContext _context = sources.Context.OfOneLoad(sources.Resolve(uri));
    private readonly MemoryBound _bound = MemoryBound.Of(options.MemoryLimit);

    public void Dispose() => _context.Dispose();

    /// <summary>Loads.</summary>
    /// <param name="select">Checks a checkpoint and chooses what is read of it.</param>
    /// <param name="manifest">What the checkpoint is expected to be, if anything is known.</param>
    /// <param name="cancellationToken">Ends the load.</param>
    public async Task<WeightSet> RunAsync(
        Func<Checkpoint, TensorSelection> select, WeightManifest? manifest, CancellationToken cancellationToken)
    {
        MemoryBound.BeginLoad(options.MemoryLimit);

        // Before anything is asked for, as it refuses devices that are not served.
        ITensorSink sink = CreateSink(manifest);
        await using (sink.ConfigureAwait(false))
        {
            WeightPins pins = manifest is not null && options is { Source: null, Revision: WeightRevision.Recorded }
                ? WeightPins.Of(manifest)
                : WeightPins.None;
            IWeightLocation location = await sources.LocateAsync(uri, pins, cache, _context, cancellationToken).ConfigureAwait(false);
            if (manifest is not null && sink.OwnsMemory && ExpectedCheckpoint.TryOpen(manifest, uri, location) is { } expected)
            {
                await using (expected.ConfigureAwait(false))
                {
                    return await RunAheadAsync(location, expected, select, sink, manifest, cancellationToken).ConfigureAwait(false);
                }
            }

            Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, location, NewBudget(), cancellationToken).ConfigureAwait(false);
            await using (checkpoint.ConfigureAwait(false))
            {
                log.Warn(checkpoint, location.IsRemote);
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
        WeightManifest manifest,
        CancellationToken cancellationToken)
    {
        using var drop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task transfer = TransferAsync(expected, select(expected), sink, location.IsRemote, isChecked: false, drop.Token);
        try
        {
            IWeightLocation withHeaders = ExpectedCheckpoint.WithHeaders(location, expected);
            Checkpoint live = await CheckpointReader.ReadAsync(uri, withHeaders, NewBudget(), cancellationToken).ConfigureAwait(false);
            await using (live.ConfigureAwait(false))
            {
                log.Warn(live, location.IsRemote);
                TensorSelection selection = select(live);
                if (ExpectedCheckpoint.HasLayout(live, expected)
                    && await TryGiveAsync(live, expected, selection, sink, transfer).ConfigureAwait(false))
                {
                    await transfer.ConfigureAwait(false);
                    if (early is not null || ExpectedCheckpoint.HasValidators(live, expected))
                    {
                        return Collect(live, selection, sink);
                    }
                }

                // Laid out otherwise, or replaced in between: what came is dropped, and its memory given back, before all is read anew.
                await EndAsync(transfer, drop).ConfigureAwait(false);
                early?.Forget();
                await sink.DisposeAsync().ConfigureAwait(false);
                ITensorSink another = CreateSink(manifest);
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
        await TransferAsync(checkpoint, selection, sink, isRemote, isChecked: true, cancellationToken).ConfigureAwait(false);
        return Collect(checkpoint, selection, sink);
    }

    // The headers have been checked and payload is on its way already: what has landed and what lands may be seen, as long as the files
    // that it comes from are those of the headers.
    private async ValueTask<bool> TryGiveAsync(
        Checkpoint live, Checkpoint expected, TensorSelection selection, ITensorSink sink, Task transfer)
    {
        if (early is null)
        {
            return true;
        }

        if (transfer.IsCompleted)
        {
            // Refused, perhaps: then nothing is given.
            await transfer.ConfigureAwait(false);
        }

        return early.TryGive(
            () => new PromisedSet(NewSet(live, selection, sink), selection, sink),
            tensor => selection.Tensors[tensor] is var (file, info)
                && (info.ByteLength == 0 || live.Files[file].Source.Validator == expected.Files[file].Source.Validator));
    }

    private async Task TransferAsync(
        Checkpoint checkpoint,
        TensorSelection selection,
        ITensorSink sink,
        bool isRemote,
        bool isChecked,
        CancellationToken cancellationToken)
    {
        TransferOptions transfer = _context.Options;
        Lazy<UseOrder> order = OrderOfUse.Of(options, selection);
        sink.Select(selection, order);
        TransferPlan plan = TransferPlan.Create(
            checkpoint.Files,
            selection.Tensors,
            PartLimits.For(transfer, isRemote),
            sink.Reads,
            early is null ? null : order.Value,
            sink.SegmentSize);
        var need = MemoryNeed.Of(plan, transfer, isRemote, isRemote ? _bound.Bytes : null, sink.MemoryOf(plan));
        need.ThrowIfBeyond(uri.Display, transfer, _bound, isRemote, options.Storage == TensorStorage.Mapped);
        cache?.Writer.BufferLimit = need.LeftForCache(transfer, _bound.Bytes);
        LoadLog.Load lines = log.Start(checkpoint, plan);
        sink.Allocate(plan);
        using Landing? landing = early is null ? null : new Landing(plan, sink, early.Landed);
        if (isChecked)
        {
            early?.TryGive(() => new PromisedSet(NewSet(checkpoint, selection, sink), selection, sink));
        }

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
            _context,
            tracker,
            cancellationToken,
            landing).ConfigureAwait(false);
        lines.Finished(tracker.Finish());
        sink.Report(lines);
    }

    private ITensorSink CreateSink(WeightManifest? manifest)
    {
        ITensorSink sink = TensorSinks.Create(options, _context.Options, cuda);
        return options.Verify == Verification.Digests ? new DigestSink(sink, manifest!.DigestOf, uri.Display) : sink;
    }

    private HeaderBudget NewBudget() => new(_bound, _context.Options.BufferLimit);

    private static async Task EndAsync(Task transfer, CancellationTokenSource drop)
    {
        await drop.CancelAsync().ConfigureAwait(false);
        await transfer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private WeightSet Collect(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink)
    {
        if (early is not null)
        {
            // What there was to take was taken when it came.
            return early.Weights;
        }

        WeightSet weights = NewSet(checkpoint, selection, sink);
        var taken = new torch.Tensor?[selection.Tensors.Count];
        foreach ((string name, int index) in selection.Names)
        {
            // Another name of the same tensor is another handle on one storage: each is disposed once, libtorch frees the memory once.
            torch.Tensor tensor = taken[index]?.alias().DetachFromDisposeScope() ?? (taken[index] = sink.TakeTensor(index));
            TensorInfo info = selection.Tensors[index].Info;
            weights.Add(name, info, sink.DeviceOf(index), sink.DTypeOf(index, info.DType), tensor);
        }

        return weights;
    }

    private WeightSet NewSet(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink) =>
        new(title, checkpoint.Revision, checkpoint.Metadata, selection.Names.Count)
        {
            HeapBytes = options.Storage != TensorStorage.PerTensor ? 0 : selection.Tensors
                .Select((tensor, index) => sink.DeviceOf(index).type == DeviceType.CPU ? tensor.Info.ByteLength : 0).Sum(),
        };
}
