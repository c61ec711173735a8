namespace TypedWeights.Transfer.Limits;

/// <summary>
/// Holds readers to a rate: each waits, after its bytes have come, until all bytes so far fit the rate. What was not used is not saved
/// up, so that no burst follows a pause.
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

        // A timer is no finer than this; the debt stays and is waited for with the next bytes.
        return wait < TimeSpan.FromMilliseconds(15) ? ValueTask.CompletedTask : new ValueTask(Task.Delay(wait, time, cancellationToken));
    }
}
