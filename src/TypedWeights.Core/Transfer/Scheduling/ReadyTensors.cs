namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Reports tensors, while a job runs, when the user may read them. Each complete tensor is waited for in a task of its own, and no reader waits.
/// </summary>
/// <param name="whenReady">Returns when a complete tensor may be read: the sink's method, or one that also checks the tensor.</param>
/// <param name="ready">Called for each tensor once, from any thread. An exception fails the job.</param>
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
