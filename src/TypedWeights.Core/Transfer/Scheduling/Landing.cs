using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Tells, while a transfer runs, which tensors are where the user reads them: when all bytes of one have been committed, its sink is asked
/// for the moment, off the readers' way.
/// </summary>
internal sealed class Landing : IDisposable
{
    private readonly IWeightSink _sink;
    private readonly Action<int> _landed;
    private readonly long[] _bytesLeft;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Task> _waits = [];

    /// <param name="plan">The plan.</param>
    /// <param name="sink">Where it goes.</param>
    /// <param name="landed">Is told of each tensor once, from any thread. Its exception is the transfer's.</param>
    public Landing(TransferPlan plan, IWeightSink sink, Action<int> landed)
    {
        _sink = sink;
        _landed = landed;
        _bytesLeft = new long[plan.TargetCount];
        foreach (TransferSegment segment in plan.Ranges.SelectMany(static range => range.Segments))
        {
            if (!segment.IsGap)
            {
                _bytesLeft[segment.Tensor] += segment.Length;
            }
        }
    }

    /// <summary>Tells of the tensors that nothing is read for, as their sink says.</summary>
    public void Start()
    {
        for (int i = 0; i < _bytesLeft.Length; i++)
        {
            if (_bytesLeft[i] == 0)
            {
                Tell(i);
            }
        }
    }

    /// <summary>Counts a segment of the plan that has been committed.</summary>
    public void Committed(TransferSegment segment)
    {
        if (Interlocked.Add(ref _bytesLeft[segment.Tensor], -segment.Length) == 0)
        {
            Tell(segment.Tensor);
        }
    }

    /// <summary>Returns when nobody waits any more; throws what a wait ended with, unless the transfer has an error of its own.</summary>
    /// <param name="isComplete">Whether the transfer has none: its waits are waited for then, and ended otherwise.</param>
    public async Task FinishAsync(bool isComplete)
    {
        if (!isComplete)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        foreach (Task wait in _waits)
        {
            await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (isComplete && _waits.Find(static wait => !wait.IsCompletedSuccessfully) is { } failed)
        {
            await failed.ConfigureAwait(false);
        }
    }

    public void Dispose() => _stop.Dispose();

    private void Tell(int tensor)
    {
        ValueTask wait = _sink.WhenLandedAsync(tensor, _stop.Token);
        if (wait.IsCompletedSuccessfully)
        {
            _landed(tensor);
            return;
        }

        Task told = TellAsync(wait, tensor);
        lock (_lock)
        {
            _waits.RemoveAll(static task => task.IsCompletedSuccessfully);
            _waits.Add(told);
        }
    }

    private async Task TellAsync(ValueTask wait, int tensor)
    {
        await wait.ConfigureAwait(false);
        _landed(tensor);
    }
}
