using TypedWeights.Streaming.Limits;

namespace TypedWeights.Streaming.Scheduling;

/// <summary>
/// Decides, observation by observation, how many connections a load uses: doubled while that makes it faster, or while nothing has come
/// yet and waiting is all that the connections do; back to the number before where it did not; halved when the server asks for less.
/// </summary>
/// <remarks>
/// With an observation every <see cref="Interval"/>, 8 become 32 within 0.3 s. Pure arithmetic, so that it can be tested on made-up
/// servers.
/// </remarks>
internal sealed class ConnectionTuner
{
    /// <summary>The time between two observations.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // Less than this is noise, and not worth a server's connection.
    private const double WorthIt = 1.1;

    // A rate that has fallen so far has a cause that more connections may mend.
    private const double Fallen = 0.7;

    private const int CalmBeforeGrowth = 20;

    private readonly ReaderLimits _limits;
    private double _rateBefore;
    private double _best;
    private int _targetBefore;
    private int _calm;
    private int _low;
    private bool _isGrowing;

    public ConnectionTuner(ReaderLimits limits)
    {
        _limits = limits;
        Target = _targetBefore = limits.Min;
        _isGrowing = limits.Max > limits.Min;
    }

    /// <summary>How many connections there should be.</summary>
    public int Target { get; private set; }

    /// <summary>Takes what happened since the last observation.</summary>
    /// <param name="seconds">Its length.</param>
    /// <param name="bytes">Bytes that landed in it.</param>
    /// <param name="throttles">Answers in it that asked for less.</param>
    public void Observe(double seconds, long bytes, long throttles)
    {
        double rate = bytes / seconds;
        if (throttles > 0)
        {
            Shrink();
        }
        else if (_isGrowing)
        {
            Grow(rate);
        }
        else
        {
            Watch(rate);
        }
    }

    private void Shrink()
    {
        Target = Math.Max(1, Target / 2);
        _isGrowing = false;
        _calm = 0;
        _best = 0;
    }

    private void Grow(double rate)
    {
        if (_rateBefore > 0 && rate < _rateBefore * WorthIt)
        {
            // What it is judged by is the rate before; the number of connections goes back with it.
            Target = _targetBefore;
            _best = Math.Max(rate, _rateBefore);
            _isGrowing = false;
            return;
        }

        _rateBefore = _best = rate;
        _targetBefore = Target;
        Target = Math.Min(_limits.Max, Target * 2);
        _isGrowing = _targetBefore < _limits.Max;
    }

    private void Watch(double rate)
    {
        _best = Math.Max(_best, rate);
        _low = rate < _best * Fallen ? _low + 1 : 0;
        bool wasThrottled = Target < _limits.Min;
        if (++_calm < CalmBeforeGrowth || (!wasThrottled && (_low < CalmBeforeGrowth || Target >= _limits.Max)))
        {
            return;
        }

        _calm = _low = 0;
        _rateBefore = _best = rate;
        _targetBefore = Target;
        Target = Math.Min(_limits.Max, Target * 2);
        _isGrowing = !wasThrottled;
    }
}
