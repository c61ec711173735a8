using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;

namespace TypedWeights.Loading;

/// <summary>
/// A load whose set is returned before its tensors are ready: each of them can be read when it is ready, and none before the live headers have
/// been checked.
/// </summary>
internal sealed class EarlyLoad
{
    private readonly CancellationToken _callersToken;
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource<PromisedSet> _returned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Completion _end = new();
    private readonly Lock _lock = new();
    private readonly List<int> _ready = [];
    private PromisedSet? _set;
    private Func<int, bool> _isTrusted = static _ => true;
    private Task _supervision = Task.CompletedTask;

    /// <param name="cancellationToken">The token of the caller; it also ends the load after the set has been returned.</param>
    public EarlyLoad(CancellationToken cancellationToken)
    {
        _callersToken = cancellationToken;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _stop.Token;
    }

    /// <summary>Ends the load.</summary>
    public CancellationToken Token { get; }

    /// <summary>The set that was returned.</summary>
    public WeightSet Weights => _set!.Weights;

    /// <summary>Is called when a tensor is ready. It cannot be read before the set is returned.</summary>
    /// <exception cref="WeightsException">The tensor was not read from the files whose headers were checked.</exception>
    public void OnReady(int tensor)
    {
        lock (_lock)
        {
            if (_set is null)
            {
                _ready.Add(tensor);
                return;
            }
        }

        Show(tensor);
    }

    /// <summary>Forgets which tensors were ready: the transfer was dropped, and its sink with it.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _ready.Clear();
        }
    }

    /// <summary>Returns the set to the caller: from now on tensors that are ready can be read.</summary>
    /// <param name="set">Makes the set, from the checked headers.</param>
    /// <param name="isTrusted">Whether a ready tensor was read from the files whose headers were checked; null if that is certain.</param>
    /// <returns>False if one did not; then the set was not returned.</returns>
    public bool TryReturn(Func<PromisedSet> set, Func<int, bool>? isTrusted = null)
    {
        lock (_lock)
        {
            if (isTrusted is not null && !_ready.TrueForAll(new Predicate<int>(isTrusted)))
            {
                return false;
            }

            _isTrusted = isTrusted ?? _isTrusted;
            _set = set();
        }

        // The list no longer changes.
        _ready.ForEach(Show);
        _returned.TrySetResult(_set);
        return true;
    }

    /// <summary>Waits for the set, and supervises the load from then on.</summary>
    /// <exception cref="Exception">The load failed before the set could be returned.</exception>
    public async Task<WeightSet> WhenReturnedAsync(Task<WeightSet> load)
    {
        await Task.WhenAny(_returned.Task, load).ConfigureAwait(false);
        if (!_returned.Task.IsCompleted)
        {
            try
            {
                return await load.ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (_callersToken.IsCancellationRequested)
            {
                throw Cancelled(e);
            }
            finally
            {
                // The load may have failed between making the set and returning it.
                _set?.Weights.Dispose();
                _stop.Dispose();
            }
        }

        PromisedSet set = await _returned.Task.ConfigureAwait(false);
        set.Weights.Follow(_end.Task, Stop);
        _supervision = SuperviseAsync(load, set);
        return set.Weights;
    }

    // Returns when the load has ended: from then on nothing is written.
    private void Stop()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The load has already ended.
        }

        _supervision.GetAwaiter().GetResult();
    }

    private async Task SuperviseAsync(Task<WeightSet> load, PromisedSet set)
    {
        try
        {
            await load.ConfigureAwait(false);
            _end.Complete();
        }
        catch (Exception e)
        {
            Exception failure = set.Weights.IsDisposed ? set.Weights.Disposed()
                : e is OperationCanceledException && _callersToken.IsCancellationRequested ? Cancelled(e) : e;
            set.Fail(failure);
            _end.Fail(failure);
        }
        finally
        {
            _stop.Dispose();
        }
    }

    private void Show(int tensor)
    {
        if (!_isTrusted(tensor))
        {
            throw new WeightsException(
                $"{_set!.Weights.Title}: a file was replaced while it was read, and some of its tensors are in use already; load it again.");
        }

        _set!.Fulfil(tensor);
    }

    private OperationCanceledException Cancelled(Exception e) => new(e.Message, e, _callersToken);
}

/// <summary>A set whose tensors are added one by one.</summary>
internal sealed class PromisedSet
{
    private readonly ITensorSink _sink;
    private readonly List<WeightEntry>[] _entries;

    /// <param name="weights">An empty set.</param>
    /// <param name="selection">The tensors and their names.</param>
    /// <param name="sink">Makes the tensors.</param>
    /// <param name="isEarly">Whether the user gets the set before its tensors are in it.</param>
    public PromisedSet(WeightSet weights, TensorSelection selection, ITensorSink sink, bool isEarly)
    {
        Weights = weights;
        _sink = sink;
        _entries = [.. selection.Tensors.Select(static _ => new List<WeightEntry>(1))];
        foreach ((string name, int index) in selection.Names)
        {
            TensorInfo info = selection.Tensors[index].Info;
            Completion? completion = isEarly ? new Completion() : null;
            _entries[index].Add(weights.Add(name, info, sink.DeviceOf(index), sink.DTypeOf(index, info.DType), completion));
        }
    }

    public WeightSet Weights { get; }

    /// <summary>Adds a tensor that is ready.</summary>
    public void Fulfil(int tensor)
    {
        torch.Tensor taken = _sink.TakeTensor(tensor);

        // Another name of the same tensor is another handle on one storage: each is disposed once, and libtorch frees the memory once.
        foreach (WeightEntry tied in _entries[tensor].Skip(1))
        {
            tied.Fulfil(taken.alias().DetachFromDisposeScope());
        }

        _entries[tensor][0].Fulfil(taken);
    }

    /// <summary>Ends every wait for a tensor that is not ready.</summary>
    public void Fail(Exception failure) => Array.ForEach(_entries, entries => entries.ForEach(entry => entry.Fail(failure)));
}
