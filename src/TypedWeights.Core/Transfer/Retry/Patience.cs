namespace TypedWeights.Transfer.Retry;

/// <summary>
/// How long one load's server may stay silent, by what it has done so far: a small multiple of the usual time between two arrivals of bytes
/// at a read. Until something has been measured it is the whole time that the options allow.
/// </summary>
/// <param name="longest">The most it can be: <see cref="TransferOptions.StallTimeout"/>.</param>
/// <param name="time">The loader's clock.</param>
internal sealed class Patience(TimeSpan longest, TimeProvider time)
{
    /// <summary>The least: collections of garbage, busy machines and lost packets take this long.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    private const double Multiple = 4;

    // Of all the time that reads have waited for bytes, this much was in longer waits than the usual one. Counted by time and not by number:
    // a server that sends bursts has thousands of short waits for each long one.
    private const double Unusual = 0.1;

    // What was measured long ago counts less and less.
    private const double SecondsKept = 300;

    private readonly Lock _lock = new();

    // Seconds waited, by the length of the wait: bucket i has those of less than 2^i ms.
    private readonly double[] _waited = new double[24];
    private double _sum;
    private bool _hasMeasured;
    private long _lastArrival;
    private StallGuard? _probe;

    /// <summary>The most that it can be.</summary>
    public TimeSpan Longest => longest;

    /// <summary>Bytes have come to one of the load's reads.</summary>
    public void Arrived()
    {
        Volatile.Write(ref _lastArrival, time.GetTimestamp());
        _probe = null;
    }

    /// <summary>Takes a wait for the server that has ended now.</summary>
    /// <param name="since">When it began, as the clock's timestamp.</param>
    public void Measure(long since)
    {
        double seconds = time.GetElapsedTime(since).TotalSeconds;
        if (_hasMeasured && seconds < 0.001)
        {
            return;
        }

        lock (_lock)
        {
            // A pause of the whole server is not usual, however long it was.
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

    /// <summary>How long a read may be silent now.</summary>
    /// <param name="givenUp">
    /// How often it was given up since its last byte. Each time doubles it, in case the server is slow and not dead.
    /// </param>
    public TimeSpan For(int givenUp)
    {
        lock (_lock)
        {
            return Now(givenUp);
        }
    }

    /// <summary>
    /// Whether a read that has been silent for its time is given up: when others got bytes lately. Where nobody gets any, one alone is, to
    /// find out whether the server answers a new request; the others wait for that, as a network that is down serves none of them.
    /// </summary>
    public bool MayGiveUp(StallGuard guard, TimeSpan silence)
    {
        lock (_lock)
        {
            return HasComeIn(silence / 2) || (_probe ??= guard) == guard;
        }
    }

    /// <summary>A guard is used for no read any more.</summary>
    public void Forget(StallGuard guard) => Interlocked.CompareExchange(ref _probe, null, guard);

    /// <summary>Whether a byte has come to any of the load's reads in the time that ends now.</summary>
    public bool HasComeIn(TimeSpan period) => Volatile.Read(ref _lastArrival) is not 0 and var last && time.GetElapsedTime(last) <= period;

    private TimeSpan Now(int givenUp)
    {
        if (!_hasMeasured)
        {
            return longest;
        }

        double seconds = Math.Max(Least.TotalSeconds, Usual() * Multiple) * Math.Pow(2, givenUp);
        return seconds < longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : longest;
    }

    private double Usual()
    {
        double longer = 0;
        for (int i = _waited.Length - 1; i > 0; i--)
        {
            longer += _waited[i];
            if (longer > _sum * Unusual)
            {
                return Math.Pow(2, i) / 1000;
            }
        }

        return 0;
    }
}
