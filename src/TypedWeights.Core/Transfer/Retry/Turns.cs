namespace TypedWeights.Transfer.Retry;

/// <summary>
/// Where reads from one origin wait that got no answer while others did: a server that serves few connections has one for them when another
/// read is done with its own. New reads line up behind them.
/// </summary>
/// <param name="patience">That of the origin.</param>
/// <param name="time">The loader's clock.</param>
internal sealed class Turns(Patience patience, TimeProvider time)
{
    // How soon it is noticed that nobody gets bytes any more, and nobody's turn can be waited for.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _free;

    /// <summary>How many reads wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>A read asks for the first time: after those that wait, and otherwise at once, over a connection that is free if one is.</summary>
    public ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _free = Math.Max(0, _free - 1);
                return default;
            }
        }

        return WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Returns when another read is done with its connection, or was before and nobody took it; when nobody gets bytes; or when the longest
    /// time is over.
    /// </summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var turn = new LinkedListNode<TaskCompletionSource>(new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return;
            }

            _waiting.AddLast(turn);
        }

        long start = time.GetTimestamp();
        try
        {
            do
            {
                try
                {
                    await turn.Value.Task.WaitAsync(Look, time, cancellationToken).ConfigureAwait(false);
                    return;
                }
                catch (TimeoutException)
                {
                    // Time for a look.
                }
            }
            while (patience.HasComeIn(Patience.Least) && time.GetElapsedTime(start) < patience.Longest);
        }
        finally
        {
            lock (_lock)
            {
                if (turn.List is not null)
                {
                    _waiting.Remove(turn);
                }
            }
        }
    }

    /// <summary>A read is done with its connection: the one that has waited longest may try again.</summary>
    public void Pass()
    {
        lock (_lock)
        {
            if (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                first.Value.TrySetResult();
            }
            else
            {
                _free++;
            }
        }
    }
}
