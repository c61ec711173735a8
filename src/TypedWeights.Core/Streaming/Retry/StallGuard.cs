namespace TypedWeights.Streaming.Retry;

/// <summary>Cancels a call to which nothing has come for a time. Used by one call at a time.</summary>
internal sealed class StallGuard(TimeSpan timeout, TimeProvider time) : IDisposable
{
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _registration;

    /// <summary>The longest time in which nothing comes.</summary>
    public TimeSpan Timeout => timeout;

    /// <summary>Whether it was this guard that cancelled the call.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Starts the clock of a call.</summary>
    /// <param name="cancellationToken">The caller's.</param>
    /// <returns>A token for the call, cancelled by the caller's or by the clock.</returns>
    public CancellationToken Begin(CancellationToken cancellationToken)
    {
        HasFired = false;
        if (_source is null || !_source.TryReset())
        {
            _source?.Dispose();
            _source = new CancellationTokenSource(System.Threading.Timeout.InfiniteTimeSpan, time);
        }

        _registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
        _source.CancelAfter(timeout);
        return _source.Token;
    }

    /// <summary>Something came: the clock starts anew.</summary>
    public void Touch() => _source!.CancelAfter(timeout);

    /// <summary>Ends a call.</summary>
    /// <param name="cancellationToken">The caller's.</param>
    public void End(CancellationToken cancellationToken)
    {
        _registration.Dispose();
        HasFired = _source!.IsCancellationRequested && !cancellationToken.IsCancellationRequested;
        _source.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _registration.Dispose();
        _source?.Dispose();
    }
}
