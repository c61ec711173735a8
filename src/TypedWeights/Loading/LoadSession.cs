using TorchSharp;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Devices.Cuda;
using TypedWeights.Memory;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Loading;

/// <summary>
/// One load, from a URI to tensors by name. It produces four values in turn: the opened checkpoint, the selection, the plan and the job.
/// </summary>
/// <param name="sources">The loader's sources.</param>
/// <param name="cuda">What the loader's loads onto GPUs share.</param>
/// <param name="log">The loader's log.</param>
/// <param name="request">The load.</param>
/// <param name="cache">The load's part of the local cache; null for a load without it.</param>
internal sealed class LoadSession(SourceRegistry sources, CudaEngine cuda, LoadLog log, LoadRequest request, CacheRun? cache)
{
    private readonly TransferContext _context = sources.Context.OfOneLoad(sources.Resolve(request.Uri));
    private readonly MemoryBound _bound = MemoryBound.Of(request.Options.MemoryLimit);

    public LoadRequest Request => request;

    /// <summary>Carries out the load.</summary>
    public async Task<WeightSet> RunAsync(CancellationToken cancellationToken)
    {
        MemoryBound.BeginLoad(request.Options.MemoryLimit);

        // Before the first request, so that an unsupported device fails first.
        ITensorSink sink = CreateSink();
        await using (sink.ConfigureAwait(false))
        {
            IWeightLocation location = request.Source.Location ?? await sources
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
    public ITensorSink CreateSink() => TensorSinks.Create(request.Options, _context.Options, cuda);

    /// <summary>Opens the files and checks their headers.</summary>
    public async Task<Checkpoint> OpenAsync(IWeightLocation location, CancellationToken cancellationToken)
    {
        var budget = new HeaderBudget(_bound, _context.Options.BufferLimit);
        Checkpoint checkpoint = await CheckpointReader.ReadAsync(request.Uri, location, budget, cancellationToken).ConfigureAwait(false);
        log.Warn(checkpoint, location.IsRemote);
        return checkpoint;
    }

    /// <summary>Loads a selection of a checkpoint whose headers have been checked.</summary>
    public async Task<WeightSet> LoadAsync(
        Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote, CancellationToken cancellationToken)
    {
        // An early load returns its set before the first byte is read.
        Action? allocated = request.Early is { } early ? () => early.TryReturn(() => Promise(checkpoint, selection, sink)) : null;
        await TransferAsync(checkpoint, selection, sink, isRemote, allocated, cancellationToken).ConfigureAwait(false);
        return Collect(checkpoint, selection, sink);
    }

    /// <summary>Plans the reading of a selection and carries the plan out.</summary>
    /// <param name="checkpoint">The opened files.</param>
    /// <param name="selection">What is read of them.</param>
    /// <param name="sink">Where the bytes go.</param>
    /// <param name="isRemote">Whether the files are read over a network.</param>
    /// <param name="allocated">Is called when the sink has its memory; may be null.</param>
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
        string source = checkpoint.Uri.Display;
        log.Start(checkpoint, plan);
        Action<LoadProgress> logProgress = log.ProgressOf(source);
        var job = new TransferJob(
            plan,
            [.. checkpoint.Files.Select(static file => file.Source)],
            sink,
            ReaderLimits.For(_context.Options, isRemote))
        {
            Allocated = allocated,
            Progress = now =>
            {
                logProgress(now);
                request.Progress?.Report(now);
            },
            Observers = ObserversOf(selection, sink),
        };
        log.Finish(source, await TransferRunner.RunAsync(job, _context, cancellationToken).ConfigureAwait(false));
        sink.Report(log.Logger, source);
    }

    /// <summary>The set of a load that is complete.</summary>
    public WeightSet Collect(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink)
    {
        if (request.Early is { } early)
        {
            // Each tensor was taken when it became ready.
            return early.Weights;
        }

        PromisedSet set = Promise(checkpoint, selection, sink);
        for (int tensor = 0; tensor < selection.Tensors.Count; tensor++)
        {
            set.Fulfil(tensor);
        }

        return set.Weights;
    }

    /// <summary>The set of a load, before its tensors are in it.</summary>
    public PromisedSet Promise(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink)
    {
        long heapBytes = request.Options.Storage != TensorStorage.PerTensor ? 0 : selection.Tensors
            .Select((tensor, index) => sink.DeviceOf(index).type == DeviceType.CPU ? tensor.Info.ByteLength : 0).Sum();
        var weights = new WeightSet(request.Title, checkpoint.Revision, checkpoint.Metadata, selection.Names.Count) { HeapBytes = heapBytes };
        return new PromisedSet(weights, selection, sink, isEarly: request.Early is not null);
    }

    private TransferPlan Plan(Checkpoint checkpoint, TensorSelection selection, ITensorSink sink, bool isRemote)
    {
        TransferOptions transfer = _context.Options;
        Lazy<UseOrder> order = request.Options.OrderOf(selection);
        sink.SetSelection(selection, order);
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
        var observers = new List<ITensorObserver>();
        Func<int, CancellationToken, ValueTask> whenReady = sink.WhenReadyAsync;
        if (request.Options is LoadOptions { Verify: Verification.Digests })
        {
            var digests = new DigestCheck(sink, selection, request.Manifest!.DigestOf, request.Uri.Display);
            observers.Add(digests);
            whenReady = digests.WhenCheckedAsync;
        }

        if (request.Early is { } early)
        {
            observers.Add(new ReadyTensors(whenReady, early.OnReady));
        }

        return observers;
    }
}
