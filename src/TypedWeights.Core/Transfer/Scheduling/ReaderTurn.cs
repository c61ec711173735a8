namespace TypedWeights.Transfer.Scheduling;

/// <summary>How long a reader whose bytes are there at once keeps a thread from what else waits for the pool.</summary>
internal struct ReaderTurn(TimeProvider time)
{
    private static readonly TimeSpan Length = TimeSpan.FromMilliseconds(5);

    private long _began = time.GetTimestamp();

    /// <summary>Whether the thread is to be given up now: the next turn begins then, or where nothing waits for it.</summary>
    public bool IsOver()
    {
        if (time.GetElapsedTime(_began) < Length)
        {
            return false;
        }

        _began = time.GetTimestamp();
        return ThreadPool.PendingWorkItemCount > 0;
    }
}
