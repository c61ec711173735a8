using System.Globalization;
using System.Runtime.CompilerServices;

namespace TypedWeights.Transfer.Retry;

/// <summary>Cancels a call that receives no byte for too long. Serves one read at a time: its calls, one after the other.</summary>
internal sealed class StallGuard : IDisposable
{
    // The time in which the reader processes bytes, and does not wait for the server.
    private const long NotWaiting = long.MaxValue;

    private readonly Patience _patience;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _registration;
    private bool _mayBeEarly;
    private bool _isRunning;
    private bool _isDue;
    private long _since;
    private int _earlyEnds;

    /// <param name="patience">How long the server may stall.</param>
    /// <param name="time">The loader's clock.</param>
    public StallGuard(Patience patience, TimeProvider time)
    {
        _patience = patience;
        _time = time;
        _timer = time.CreateTimer(static guard => ((StallGuard)guard!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long the cancelled call had received no bytes.</summary>
    public TimeSpan StallTime { get; private set; }

    /// <summary>Whether this guard cancelled the call.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Whether the guard cancelled the call before the longest time had elapsed.</summary>
    public bool IsEarly { get; private set; }

    /// <summary>Whether the read has a response.</summary>
    public bool IsServed { get; set; }

    /// <summary>The error of a call that its source cancelled, and not the caller.</summary>
    public static WeightSourceException Cancelled(string display, Exception cause) =>
        new(display, "the source cancelled a read.", innerException: cause) { IsTransient = true };

    /// <summary>Runs one call under this guard.</summary>
    /// <param name="call">The call.</param>
    /// <param name="mayBeEarly">Whether the call is ended as soon as the server is slower than usual, because a retry costs little.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    /// <exception cref="WeightSourceException">The call stalled, or its source cancelled it.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> RunAsync<T>(
        Func<CancellationToken, ValueTask<T>> call, bool mayBeEarly, string display, CancellationToken cancellationToken)
    {
        CancellationToken token = Begin(mayBeEarly, cancellationToken);
        try
        {
            return await call(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            End(cancellationToken);
            throw HasFired
                ? new WeightSourceException(
                    display,
                    $"no bytes were received for {StallTime.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s.",
                    innerException: e)
                {
                    IsTransient = true,
                    IsUnserved = !IsServed,
                    IsEarly = IsEarly,
                }
                : Cancelled(display, e);
        }
        finally
        {
            End(cancellationToken);
        }
    }

    /// <summary>Starts the clock of a call.</summary>
    /// <returns>A token for the call, cancelled with the caller's token or by this guard.</returns>
    public CancellationToken Begin(bool mayBeEarly, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // The timer may be about to cancel a source that is due: it serves no other call.
            if (_source is null || _isDue || !_source.TryReset())
            {
                _source = new CancellationTokenSource();
            }

            HasFired = IsEarly = _isDue = false;
            _mayBeEarly = mayBeEarly;
            _isRunning = true;
            Volatile.Write(ref _since, _time.GetTimestamp());
            WakeIn(Limit());
        }

        _registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
        return _source.Token;
    }

    /// <summary>The server has responded; the call waits for its bytes.</summary>
    public void Responded()
    {
        IsServed = true;
        _patience.Measure(Volatile.Read(ref _since));
        Wait();
    }

    /// <summary>Bytes arrived. Until <see cref="Wait"/>, the call does not wait for the server.</summary>
    public void Arrived()
    {
        _patience.Measure(Volatile.Read(ref _since));
        _patience.Arrived();
        _earlyEnds = 0;
        Volatile.Write(ref _since, NotWaiting);
    }

    /// <summary>The call waits for the server again.</summary>
    public void Wait() => Volatile.Write(ref _since, _time.GetTimestamp());

    /// <summary>Ends a call.</summary>
    public void End(CancellationToken cancellationToken)
    {
        _registration.Dispose();
        lock (_lock)
        {
            _isRunning = false;
            HasFired = _isDue && !cancellationToken.IsCancellationRequested;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends the read that the guard serves; it may serve another one then.</summary>
    public void Reset()
    {
        _registration.Dispose();
        _earlyEnds = 0;
        IsServed = false;
        _patience.Forget(this);
    }

    public void Dispose()
    {
        Reset();
        _timer.Dispose();
        _source?.Dispose();
    }

    private TimeSpan Limit() => _mayBeEarly ? _patience.For(_earlyEnds) : _patience.Longest;

    // The timer is not reset for every byte. It looks now and then how long the call has waited, and what is usual by now.
    private void WakeIn(TimeSpan due) => _timer.Change(due < Patience.Least ? due : Patience.Least, Timeout.InfiniteTimeSpan);

    private void Look()
    {
        CancellationTokenSource source;
        lock (_lock)
        {
            if (!_isRunning || _isDue)
            {
                return;
            }

            TimeSpan limit = Limit();
            long since = Volatile.Read(ref _since);
            TimeSpan stalled = since == NotWaiting ? TimeSpan.Zero : _time.GetElapsedTime(since);
            if (stalled < limit)
            {
                WakeIn(limit - stalled);
                return;
            }

            if (stalled < _patience.Longest && !_patience.MayEnd(this, stalled))
            {
                WakeIn(TimeSpan.FromTicks(Math.Min((_patience.Longest - stalled).Ticks, limit.Ticks / 8)));
                return;
            }

            _isDue = true;
            IsEarly = stalled < _patience.Longest;
            StallTime = IsEarly ? limit : _patience.Longest;
            _earlyEnds += IsEarly ? 1 : 0;
            source = _source!;
        }

        // Outside the lock: code that waits for this token may continue within the call.
        source.Cancel();
    }
}
