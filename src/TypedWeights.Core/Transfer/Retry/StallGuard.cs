namespace TypedWeights.Transfer.Retry;

/// <summary>Cancels a call to which nothing has come for a time. Used by one call at a time.</summary>
internal sealed class StallGuard : IDisposable
{
    // Stands for the time in which whoever gets the bytes is busy with them, and nobody waits for the server.
    private const long NotWaiting = long.MaxValue;

    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private Patience _patience = null!;
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _registration;
    private bool _mayBeEarly;
    private bool _isRunning;
    private bool _isDue;
    private long _since;
    private int _givenUp;

    public StallGuard(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(
            static guard => ((StallGuard)guard!).Look(), this, System.Threading.Timeout.InfiniteTimeSpan, System.Threading.Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long the call that was cancelled had been silent.</summary>
    public TimeSpan Silence { get; private set; }

    /// <summary>Whether it was this guard that cancelled the call.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Whether it did so before the whole time was over.</summary>
    public bool IsEarly { get; private set; }

    /// <summary>Takes the guard for a read: for its calls, one after the other.</summary>
    /// <param name="patience">That of the load.</param>
    public void Serve(Patience patience)
    {
        _patience = patience;
        _givenUp = 0;
    }

    /// <summary>The read is over.</summary>
    public void Leave() => _patience.Forget(this);

    /// <summary>Starts the clock of a call.</summary>
    /// <param name="mayBeEarly">Whether it is given up as soon as the server is slower than usual, as trying again costs little.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <returns>A token for the call, cancelled by the caller's or by the clock.</returns>
    public CancellationToken Begin(bool mayBeEarly, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // One that was due is cancelled by the clock, perhaps in this moment: it serves no other call.
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

    /// <summary>The server has answered, and its bytes are waited for.</summary>
    public void Answered()
    {
        _patience.Measure(Volatile.Read(ref _since));
        Wait();
    }

    /// <summary>Bytes came: until <see cref="Wait"/> it is not the server that is waited for.</summary>
    public void Arrived()
    {
        _patience.Measure(Volatile.Read(ref _since));
        _patience.Arrived();
        _givenUp = 0;
        Volatile.Write(ref _since, NotWaiting);
    }

    /// <summary>The server is waited for again.</summary>
    public void Wait() => Volatile.Write(ref _since, _time.GetTimestamp());

    /// <summary>Ends a call.</summary>
    /// <param name="cancellationToken">The caller's.</param>
    public void End(CancellationToken cancellationToken)
    {
        _registration.Dispose();
        lock (_lock)
        {
            _isRunning = false;
            HasFired = _isDue && !cancellationToken.IsCancellationRequested;
            Wake(System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _registration.Dispose();
        _timer.Dispose();
        _source?.Dispose();
    }

    private TimeSpan Limit() => _mayBeEarly ? _patience.For(_givenUp) : _patience.Longest;

    private void Wake(TimeSpan due) => _timer.Change(due, System.Threading.Timeout.InfiniteTimeSpan);

    // The clock is not set back for every byte: it looks now and then how long it has been, and what is usual by now.
    private void WakeIn(TimeSpan due) => Wake(due < Patience.Least ? due : Patience.Least);

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
            TimeSpan silence = since == NotWaiting ? TimeSpan.Zero : _time.GetElapsedTime(since);
            if (silence < limit)
            {
                WakeIn(limit - silence);
                return;
            }

            if (silence < _patience.Longest && !_patience.MayGiveUp(this, silence))
            {
                WakeIn(TimeSpan.FromTicks(Math.Min((_patience.Longest - silence).Ticks, limit.Ticks / 8)));
                return;
            }

            _isDue = true;
            IsEarly = silence < _patience.Longest;
            Silence = IsEarly ? limit : _patience.Longest;
            _givenUp += IsEarly ? 1 : 0;
            source = _source!;
        }

        // Under no lock: what waits for this may go on within the call.
        source.Cancel();
    }
}
