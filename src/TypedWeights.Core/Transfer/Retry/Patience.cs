using System.Collections.Concurrent;

namespace TypedWeights.Transfer.Retry;

/// <summary>
/// How long a read may wait for the next byte of a server: a small multiple of the usual wait, as far as it has been measured, and
/// <see cref="TransferOptions.StallTimeout"/> before that.
/// </summary>
/// <param name="longest">The longest time: <see cref="TransferOptions.StallTimeout"/>.</param>
/// <param name="time">The loader's clock.</param>
internal sealed class Patience(TimeSpan longest, TimeProvider time)
{
    /// <summary>The shortest time: garbage collections, busy machines and lost packets take as long.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    private const double Multiple = 4;

    // The share of all waiting time that is spent in waits longer than the usual one. Waits are weighted by their duration, because a server
    // that sends bursts has thousands of short waits for each long one.
    private const double UnusualShare = 0.1;

    // All sums are halved when they reach this many seconds, so that old measurements lose weight.
    private const double SecondsKept = 300;

    private readonly ConcurrentQueue<StallGuard> _idle = new();
    private readonly Lock _lock = new();

    // Seconds spent in waits, by their length: bucket i has the waits of less than 2^i ms.
    private readonly double[] _waited = new double[24];
    private double _sum;
    private bool _hasMeasured;
    private long _lastArrival;
    private StallGuard? _probe;

    /// <summary>The longest time.</summary>
    public TimeSpan Longest => longest;

    /// <summary>Bytes arrived at one of the reads.</summary>
    public void Arrived()
    {
        Volatile.Write(ref _lastArrival, time.GetTimestamp());
        _probe = null;
    }

    /// <summary>Records a wait that ends now.</summary>
    /// <param name="since">The timestamp at which it began.</param>
    public void Measure(long since)
    {
        double seconds = time.GetElapsedTime(since).TotalSeconds;
        if (_hasMeasured && seconds < 0.001)
        {
            return;
        }

        lock (_lock)
        {
            // One long pause of the whole server does not make long pauses usual.
            double counted = Math.Min(seconds, Now(0).TotalSeconds);
            _hasMeasured = true;
            _waited[Math.Clamp((int)Math.Log2(Math.Max(seconds * 1000, 0.5)) + 1, 0, _waited.Length - 1)] += counted;
            _sum += counted;
            if (_sum > SecondsKept)
            {
                _sum /= 2;
                for (int i = 0; i < _waited.Length; i++)
                {
                    _waited[i] /= 2;
                }
            }
        }
    }

    /// <summary>How long a read may wait for its next byte now.</summary>
    /// <param name="earlyEnds">
    /// How often the read was ended early since its last byte. Each time doubles the wait, because the server may be slow and not dead.
    /// </param>
    public TimeSpan For(int earlyEnds)
    {
        lock (_lock)
        {
            return Now(earlyEnds);
        }
    }

    /// <summary>
    /// Whether a read that has waited for its time may be ended: when other reads received bytes lately. When no read receives any, one read
    /// is ended, to find out whether the server responds to a new request, and the others wait: a network that is down serves none of them.
    /// </summary>
    public bool MayEnd(StallGuard guard, TimeSpan stalled)
    {
        lock (_lock)
        {
            return HasArrivedIn(stalled / 2) || (_probe ??= guard) == guard;
        }
    }

    /// <summary>A guard for one read: one that <see cref="Return"/> took back, because a timer for each range would be garbage.</summary>
    public StallGuard Rent() => _idle.TryDequeue(out StallGuard? guard) ? guard : new StallGuard(this, time);

    /// <summary>Takes back the guard of a read that has ended.</summary>
    public void Return(StallGuard guard)
    {
        guard.Reset();
        _idle.Enqueue(guard);
    }

    /// <summary>The read of a guard is over.</summary>
    public void Forget(StallGuard guard) => Interlocked.CompareExchange(ref _probe, null, guard);

    /// <summary>Whether a byte arrived at any read in the period that ends now.</summary>
    public bool HasArrivedIn(TimeSpan period) => Volatile.Read(ref _lastArrival) is not 0 and var last && time.GetElapsedTime(last) <= period;

    private TimeSpan Now(int earlyEnds)
    {
        if (!_hasMeasured)
        {
            return longest;
        }

        double seconds = Math.Max(Least.TotalSeconds, Usual() * Multiple) * Math.Pow(2, earlyEnds);
        return seconds < longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : longest;
    }

    private double Usual()
    {
        double longer = 0;
        for (int i = _waited.Length - 1; i > 0; i--)
        {
            longer += _waited[i];
            if (longer > _sum * UnusualShare)
            {
                return Math.Pow(2, i) / 1000;
            }
        }

        return 0;
    }
}
