using TypedWeights.Weights;

namespace TypedWeights.Loading.Early;

/// <summary>
/// A load whose set is given away before its tensors have come: it lets each be seen when it is ready, and nothing before the live
/// headers have been checked.
/// </summary>
internal sealed class EarlyLoad : IRunningLoad
{
    private readonly CancellationToken _callersToken;
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource<PromisedSet> _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Arrival _end = new();
    private readonly Lock _lock = new();
    private readonly List<int> _ready = [];
    private PromisedSet? _set;
    private Func<int, bool> _isTrusted = static _ => true;
    private Task _supervision = Task.CompletedTask;

    /// <param name="cancellationToken">The caller's; it ends the load also when the set has been given.</param>
    public EarlyLoad(CancellationToken cancellationToken)
    {
        _callersToken = cancellationToken;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _stop.Token;
    }

    /// <summary>Ends the load.</summary>
    public CancellationToken Token { get; }

    /// <summary>The set that was given.</summary>
    public WeightSet Weights => _set!.Weights;

    /// <summary>Ends when the load has ended, as it did.</summary>
    public Task End => _end.Task;

    /// <summary>A tensor is where it will be read. Until the set is given it waits, unseen.</summary>
    /// <exception cref="WeightsException">It is not of the files whose headers were checked.</exception>
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

    /// <summary>Forgets which tensors were ready: the transfer has been dropped and its sink with it.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _ready.Clear();
        }
    }

    /// <summary>Gives the set away: from now on tensors that are ready are seen.</summary>
    /// <param name="set">The set, of the checked headers.</param>
    /// <param name="isTrusted">Tells of a tensor that is ready whether it came from what was checked; null where it cannot be otherwise.</param>
    /// <returns>False where a ready tensor did not: nothing was given then.</returns>
    public bool TryGive(Func<PromisedSet> set, Func<int, bool>? isTrusted = null)
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

        // Nobody adds to the list any more.
        _ready.ForEach(Show);
        _given.TrySetResult(_set);
        return true;
    }

    /// <summary>Returns the set when it is given, and looks after the load from then on.</summary>
    /// <exception cref="Exception">The load has ended before.</exception>
    public async Task<WeightSet> WhenGivenAsync(Task<WeightSet> load)
    {
        await Task.WhenAny(_given.Task, load).ConfigureAwait(false);
        if (!_given.Task.IsCompleted)
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
                // It may have been about to be given.
                _set?.Weights.Dispose();
                _stop.Dispose();
            }
        }

        PromisedSet set = await _given.Task.ConfigureAwait(false);
        set.Weights.Follow(this);
        _supervision = SuperviseAsync(load, set);
        return set.Weights;
    }

    /// <summary>Ends the load and returns when it has ended: nothing is written any more.</summary>
    public void Stop()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }

        _supervision.GetAwaiter().GetResult();
    }

    private async Task SuperviseAsync(Task<WeightSet> load, PromisedSet set)
    {
        try
        {
            await load.ConfigureAwait(false);
            _end.Come();
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

        _set!.Come(tensor);
    }

    private OperationCanceledException Cancelled(Exception e) => new(e.Message, e, _callersToken);
}
