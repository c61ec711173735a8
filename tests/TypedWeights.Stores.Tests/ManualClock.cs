namespace TypedWeights.Tests.Stores;

/// <summary>A clock that stands still until a test moves it; what waits for that long then goes on.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Timer> _timers = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _now.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            var timer = new Timer(this, () => callback(state));
            _timers.Add(timer);
            timer.Change(dueTime, period);
            return timer;
        }
    }

    /// <summary>Moves the clock when somebody waits for that time, or a time before it.</summary>
    public async Task PassAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        TimeSpan until;
        lock (_gate)
        {
            until = _now + time;
        }

        while (true)
        {
            Timer? next;
            lock (_gate)
            {
                next = _timers.Where(timer => timer.Due <= until).MinBy(static timer => timer.Due);
                if (next is not null)
                {
                    _now = next.Due!.Value;
                    next.Due = null;
                }
            }

            if (next is not null)
            {
                next.Callback();
                if (_now == until)
                {
                    return;
                }
            }
            else
            {
                await Task.Delay(1, cancellationToken);
            }
        }
    }

    /// <summary>Moves the clock, whoever waits; nobody's time may be over by then.</summary>
    public void Jump(TimeSpan time)
    {
        lock (_gate)
        {
            _now += time;
        }
    }

    private sealed class Timer(ManualClock clock, Action callback) : ITimer
    {
        public Action Callback => callback;

        public TimeSpan? Due { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock._now + dueTime;
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                Due = null;
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
