using TorchSharp;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Loading.Early;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Loading;

/// <summary>
/// One load, from a URI to tensors by name, in four values: the opened checkpoint, the selection, the plan and the job that carries it out.
/// </summary>
/// <param name="loader">What the loader's loads share.</param>
/// <param name="request">What the caller asked for.</param>
/// <param name="cache">The load's part of the local cache; null where it goes without.</param>
internal sealed class LoadSession(LoaderParts loader, LoadRequest request, CacheRun? cache)
{
    private readonly TransferContext _context = loader.Sources.Context.OfOneLoad(loader.Sources.Resolve(request.Uri));
    private readonly MemoryBound _bound = MemoryBound.Of(request.Options.MemoryLimit);

    /// <summary>What the caller asked for.</summary>
    public LoadRequest Request => request;

    /// <summary>Loads.</summary>
    public async Task<WeightSet> RunAsync(CancellationToken cancellationToken)
    {
        MemoryBound.BeginLoad(request.Options.MemoryLimit);

        // Before the first request, as it refuses devices that are not supported.
        ITensorSink sink = CreateSink();
        await using (sink.ConfigureAwait(false))
        {
            IWeightLocation location = request.Source.Location ?? await loader.Sources
                .LocateAsync(request.Uri, request.Pins, cache, _context, cancellationToken).ConfigureAwait(false);
            if (request.Manifest is { } manifest && ExpectedCheckpoint.TryOpen(manifest, request.Uri, location) is { } expected)
            {
                await using (expected.ConfigureAwait(false))
                {
                    return await new AheadLoad(this, location, expected, sink).RunAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            Checkpoint checkpoint = await OpenAsync(location, cancellationToken).ConfigureAwait(false);
            await using (checkpoint.ConfigureAwait(false))
            {
                return await LoadAsync(checkpoint, request.Select(checkpoint), sink, location.IsRemote, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes a sink, which serves one transfer.</summary>
    public ITensorSink CreateSink() => TensorSinks.Create(request.Options, _context.Options, loader.Cuda);

    /// <summary>Opens the files and checks their headers.</summary>
    public async Task<Checkpoint> OpenAsync(IWeightLocation location, CancellationToken cancellationToken)
    {
        var budget = new HeaderBudget(_bound, _context.Options.BufferLimit);
        Checkpoint checkpoint = await CheckpointReader.ReadAsync(request.Uri, location, budget, cancellationToken).ConfigureAwait(false);
        loader.Log.Warn(checkpoint, location.IsRemote);
        return checkpoint;
    }

    /// <summary>Loads a selection of a checkpoint whose headers have been checked.</summary>
    public async Task<WeightSet> LoadAsync(
        Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote, CancellationToken cancellationToken)
    {
        // An early load hands its set out before the first byte is read.
        Action? allocated = request.Early is { } early ? () => early.TryGive(() => Promise(checkpoint, selection, sink)) : null;
        await TransferAsync(checkpoint, selection, sink, isRemote, allocated, cancellationToken).ConfigureAwait(false);
        return Collect(checkpoint, selection, sink);
    }

    /// <summary>Plans the reading of a selection and carries the plan out.</summary>
    /// <param name="checkpoint">The opened files.</param>
    /// <param name="selection">What is read of them.</param>
    /// <param name="sink">Where it goes.</param>
    /// <param name="isRemote">Whether the files lie across a network.</param>
    /// <param name="allocated">Is called when the sink has its memory; null for nobody.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task TransferAsync(
        Checkpoint checkpoint,
        TensorSelection selection,
        ITensorSink sink,
        bool isRemote,
        Action? allocated,
        CancellationToken cancellationToken)
    {
        TransferPlan plan = Plan(checkpoint, selection, sink, isRemote);
        LoadLog.Load lines = loader.Log.Start(checkpoint, plan);
        var job = new TransferJob(
            plan,
            [.. checkpoint.Files.Select(static file => file.Source)],
            sink,
            ReaderLimits.For(_context.Options, isRemote))
        {
            Allocated = allocated,
            Progress = now =>
            {
                lines.Running(now);
                request.Progress?.Report(now);
            },
            Observers = ObserversOf(selection, sink),
        };
        lines.Finished(await TransferRunner.RunAsync(job, _context, cancellationToken).ConfigureAwait(false));
        sink.Report(lines);
    }

    /// <summary>The set of a load whose tensors are ready.</summary>
    public WeightSet Collect(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink)
    {
        if (request.Early is { } early)
        {
            // Each tensor was taken when it became ready.
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

    /// <summary>The set of an early load, whose tensors are still to come.</summary>
    public PromisedSet Promise(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink) =>
        new(NewSet(checkpoint, selection, sink), selection, sink);

    private TransferPlan Plan(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote)
    {
        TransferOptions transfer = _context.Options;
        Lazy<UseOrder> order = OrderOfUse.Of(request.Options, selection);
        sink.Select(selection, order);
        TransferPlan plan = TransferPlan.Create(
            checkpoint.Files,
            selection.Tensors,
            PartLimits.For(transfer, isRemote),
            sink.ReadsOf(checkpoint.Files, selection.Tensors),
            request.Early is null ? null : order.Value,
            sink.SegmentSize);
        var need = MemoryNeed.Of(plan, transfer, isRemote, sink.MemoryOf(plan));
        bool mayMap = request.Source.Location is null && request.Options.Storage != TensorStorage.Mapped;
        need.ThrowIfBeyond(request.Uri.Display, transfer, _bound, isRemote, mayMap);
        cache?.Writer.BufferLimit = need.LeftForCache(transfer, _bound.Bytes);
        return plan;
    }

    private List<ITensorObserver> ObserversOf(TensorSelection selection, ITensorSink sink)
    {
        DigestCheck? digests = request.Options is LoadOptions { Verify: Verification.Digests }
            ? new DigestCheck(sink, selection, request.Manifest!.DigestOf, request.Uri.Display)
            : null;
        var observers = new List<ITensorObserver>();
        if (digests is not null)
        {
            observers.Add(digests);
        }

        if (request.Early is { } early)
        {
            observers.Add(new ReadyTensors(digests is null ? sink.WhenReadyAsync : digests.WhenCheckedAsync, early.OnReady));
        }

        return observers;
    }

    private WeightSet NewSet(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink) =>
        new(request.Title, checkpoint.Revision, checkpoint.Metadata, selection.Names.Count)
        {
            HeapBytes = request.Options.Storage != TensorStorage.PerTensor ? 0 : selection.Tensors
                .Select((tensor, index) => sink.DeviceOf(index).type == DeviceType.CPU ? tensor.Info.ByteLength : 0).Sum(),
        };
}
