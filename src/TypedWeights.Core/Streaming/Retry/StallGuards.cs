using System.Collections.Concurrent;

namespace TypedWeights.Streaming.Retry;

/// <summary>The guards of a loader: one that a call is done with serves the next, as a clock for each request would be garbage.</summary>
/// <param name="timeout">The longest time in which nothing comes.</param>
/// <param name="time">The loader's clock.</param>
internal sealed class StallGuards(TimeSpan timeout, TimeProvider time)
{
    private readonly ConcurrentQueue<StallGuard> _idle = new();

    /// <summary>Gives a guard to one user, until it is returned.</summary>
    public StallGuard Rent() => _idle.TryDequeue(out StallGuard? guard) ? guard : new StallGuard(timeout, time);

    /// <summary>Takes a guard back whose call has ended.</summary>
    public void Return(StallGuard guard) => _idle.Enqueue(guard);
}
