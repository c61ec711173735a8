using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Decides, observation by observation, how many connections a load uses: doubled while that makes it faster, or while nothing has come
/// yet and waiting is all that the connections do; back to the number before where it did not; halved when the server asks for less, and
/// brought down to those that are served where others get no answer. Now and then it tries again, ever more rarely while that is in vain.
/// </summary>
/// <remarks>
/// With an observation every <see cref="Interval"/>, 8 become 32 within 0.2 s. Pure arithmetic, so that it can be tested on made-up
/// servers.
/// </remarks>
internal sealed class ConnectionTuner
{
    /// <summary>The time between two observations.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    // Less than this is noise, and not worth a server's connection.
    private const double WorthIt = 1.1;

    // One observation may fall into a hiccup: more connections are judged by the best of so many.
    private const int Patience = 6;

    // Observations before it is tried again: two seconds at first, then up to a minute.
    private const int FirstPause = 40;
    private const int LongestPause = 1280;

    private readonly ReaderLimits _limits;
    private int _targetBefore;
    private double _rateBefore;
    private double _bestSince;
    private int _observedSince;
    private bool _isJudging = true;
    private bool _hasBegun;
    private double _average;
    private int _calm;
    private int _pause = FirstPause;

    public ConnectionTuner(ReaderLimits limits)
    {
        _limits = limits;
        Target = _targetBefore = limits.Min;
    }

    /// <summary>How many connections there should be.</summary>
    public int Target { get; private set; }

    /// <summary>Takes as many as there may be, where what is waited for does better the more it has to do.</summary>
    public void Widen() => Target = _limits.Max;

    /// <summary>Takes what happened since the last observation.</summary>
    /// <param name="seconds">Its length.</param>
    /// <param name="bytes">Bytes that landed in it.</param>
    /// <param name="throttles">Answers in it that asked for less.</param>
    /// <param name="served">
    /// How many of the connections get answers, where some get none while others do; null where no such thing was seen.
    /// </param>
    public void Observe(double seconds, long bytes, long throttles, int? served = null)
    {
        double rate = bytes / seconds;
        _average = _average == 0 ? rate : (0.9 * _average) + (0.1 * rate);
        if (throttles > 0)
        {
            Target = Math.Max(1, Target / 2);
            Rest(FirstPause);
        }
        else if (served is not null)
        {
            Target = Math.Clamp(served.Value, 1, Target);
            Rest(FirstPause);
        }
        else if (_isJudging)
        {
            Judge(rate);
        }
        else if (++_calm >= _pause && Target < _limits.Max)
        {
            Grow(_average);
        }
    }

    private void Judge(double rate)
    {
        _bestSince = Math.Max(_bestSince, rate);
        if (_bestSince < _rateBefore * WorthIt)
        {
            if (++_observedSince == Patience)
            {
                Target = _targetBefore;
                Rest(Math.Min(_pause * 2, LongestPause));
            }
        }
        else if (rate > 0 && !_hasBegun)
        {
            // The first bytes came while connections were still being made: what these can do shows in the next look. Judged by this
            // one, twice as many would seem worth it on the fastest line.
            _hasBegun = true;
        }
        else if (Target < _limits.Max)
        {
            Grow(_bestSince);
        }
        else
        {
            Rest(FirstPause);
        }
    }

    private void Grow(double rate)
    {
        _targetBefore = Target;
        Target = Math.Min(_limits.Max, Target * 2);
        _rateBefore = rate;
        _bestSince = 0;
        _observedSince = 0;
        _isJudging = true;
    }

    private void Rest(int pause)
    {
        _isJudging = false;
        _calm = 0;
        _pause = pause;
    }
}
