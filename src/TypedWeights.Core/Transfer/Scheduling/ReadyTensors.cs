namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Reports, while a transfer runs, which tensors are where the user reads them: of a complete tensor the sink is asked for that moment, and
/// no reader waits for it.
/// </summary>
/// <param name="whenReady">Returns when a complete tensor may be read: the sink's, or what checks it as well.</param>
/// <param name="ready">Is called for each tensor once, from any thread. Its exception is the transfer's.</param>
internal sealed class ReadyTensors(Func<int, CancellationToken, ValueTask> whenReady, Action<int> ready) : ITensorObserver
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Task> _waits = [];

    public void OnComplete(int tensor)
    {
        ValueTask wait = whenReady(tensor, _stop.Token);
        if (wait.IsCompletedSuccessfully)
        {
            ready(tensor);
            return;
        }

        Task reported = ReportAsync(wait, tensor);
        lock (_lock)
        {
            _waits.RemoveAll(static task => task.IsCompletedSuccessfully);
            _waits.Add(reported);
        }
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (Task wait in _waits)
        {
            await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_waits.Find(static wait => !wait.IsCompletedSuccessfully) is { } failed)
        {
            await failed.ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Task wait in _waits)
        {
            await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stop.Dispose();
    }

    private async Task ReportAsync(ValueTask wait, int tensor)
    {
        await wait.ConfigureAwait(false);
        ready(tensor);
    }
}
