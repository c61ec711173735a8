using System.Collections.Concurrent;

namespace TypedWeights.Transfer.Retry;

/// <summary>The guards of a loader: one that a read is done with serves the next, as a clock for each request would be garbage.</summary>
/// <param name="time">The loader's clock.</param>
internal sealed class StallGuards(TimeProvider time)
{
    private readonly ConcurrentQueue<StallGuard> _idle = new();

    /// <summary>Gives a guard to one read, until it is returned.</summary>
    /// <param name="patience">That of the load.</param>
    public StallGuard Rent(Patience patience)
    {
        if (!_idle.TryDequeue(out StallGuard? guard))
        {
            guard = new StallGuard(time);
        }

        guard.Serve(patience);
        return guard;
    }

    /// <summary>Takes a guard back whose read is over.</summary>
    public void Return(StallGuard guard)
    {
        guard.Leave();
        _idle.Enqueue(guard);
    }
}
