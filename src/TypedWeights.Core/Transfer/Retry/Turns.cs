namespace TypedWeights.Transfer.Retry;

/// <summary>
/// A queue of reads that got no response from an origin while other reads did. A server that accepts few connections serves a waiting read when
/// another read releases its connection. New reads wait at the end of the queue.
/// </summary>
/// <param name="patience">The patience with the origin.</param>
/// <param name="time">The loader's clock.</param>
internal sealed class Turns(Patience patience, TimeProvider time)
{
    // How often a waiting read checks whether any read still receives bytes. If none does, no connection will be released.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _free;

    /// <summary>The patience with the origin.</summary>
    public Patience Patience => patience;

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

    /// <summary>Called before the first request of a read. Returns after all waiting reads, or at once if no read is waiting.</summary>
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
    /// Returns when another read has released its connection and no other read has taken it, when no read receives bytes, or when the
    /// longest time of the patience has elapsed.
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
                    // The next check is due.
                }
            }
            while (patience.HasArrivedIn(Patience.Least) && time.GetElapsedTime(start) < patience.Longest);
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

    /// <summary>Called when a read releases its connection: the read that has waited longest may try again.</summary>
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
