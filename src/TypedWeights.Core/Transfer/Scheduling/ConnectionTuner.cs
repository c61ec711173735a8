using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Decides how many connections a load uses, from an observation every <see cref="Interval"/>. The number is doubled while that makes the
/// load faster, or while no byte has arrived yet, and goes back if it did not. It is halved when the server asks for fewer requests, and
/// reduced to the connections that are served when others get no response. It is tried again later, less and less often.
/// </summary>
internal sealed class ConnectionTuner
{
    /// <summary>The time between two observations.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    // A smaller gain is noise, and not worth another connection of the server.
    private const double WorthIt = 1.1;

    // More connections are judged by the best of this many observations, because one may fall into a pause.
    private const int Observations = 6;

    // The number of observations before the next try: two seconds at first, then up to a minute.
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

    /// <summary>Uses the largest number, because a disk is faster with several requests.</summary>
    public void Widen() => Target = _limits.Max;

    /// <summary>Adds an observation.</summary>
    /// <param name="seconds">The time since the last observation.</param>
    /// <param name="bytes">Bytes that arrived in that time.</param>
    /// <param name="throttles">Responses in that time that asked for fewer requests.</param>
    /// <param name="served">
    /// The number of connections that get responses, if some get none while others do; otherwise null.
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
            if (++_observedSince == Observations)
            {
                Target = _targetBefore;
                Rest(Math.Min(_pause * 2, LongestPause));
            }
        }
        else if (rate > 0 && !_hasBegun)
        {
            // Connections were still being made when the first bytes arrived, so the next observation judges them. By this one, twice as
            // many would seem worthwhile even on the fastest line.
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
