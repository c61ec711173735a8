namespace TypedWeights.Transfer.Limits;

/// <summary>
/// Limits the rate of all readers: each waits, after its bytes have arrived, until all bytes so far fit the rate. Unused time is not saved,
/// so that no burst follows a pause.
/// </summary>
internal sealed class BytePacer(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _free;

    /// <summary>Returns when the bytes fit the rate.</summary>
    public ValueTask PaceAsync(int bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            TimeSpan now = time.GetElapsedTime(_start);
            _free = (_free > now ? _free : now) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
            wait = _free - now;
        }

        // A timer is not more precise than this. Shorter waits are added to the next one.
        return wait < TimeSpan.FromMilliseconds(15) ? ValueTask.CompletedTask : new ValueTask(Task.Delay(wait, time, cancellationToken));
    }
}
