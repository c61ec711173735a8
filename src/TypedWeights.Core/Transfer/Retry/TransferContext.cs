using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Retry;

/// <summary>What all transfers of one loader, or of one command of the tool, share; and, made of that, what is one load's own: its counts.</summary>
internal sealed class TransferContext : IDisposable
{
    private static long _allBytes;

    private readonly TransferContext? _all;
    private readonly Dictionary<string, Origin> _origins = new(StringComparer.Ordinal);
    private readonly string _origin = "";
    private long _requests;
    private long _retries;
    private long _throttles;
    private long _bytes;

    public TransferContext(TransferOptions? options = null, TimeProvider? time = null)
    {
        Options = options ?? new TransferOptions();
        Options.Validate();
        Time = time ?? TimeProvider.System;
        Pacer = Options.BytesPerSecond is { } rate ? new BytePacer(rate, Time) : null;
        Retry = new RetryPolicy(this);
        Guards = new StallGuards(Time);
        Patience = new Patience(Options.StallTimeout, Time);
        Turns = new Turns(Patience, Time);
    }

    private TransferContext(TransferContext all, string origin)
    {
        _all = all;
        _origin = origin;
        Options = all.Options;
        Time = all.Time;
        Pacer = all.Pacer;
        Retry = all.Retry.Of(this);
        Guards = all.Guards;
        (Patience, Turns) = all.Join(origin);
    }

    public TransferOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>Slows every read down to the wanted rate; null where none was set.</summary>
    public BytePacer? Pacer { get; }

    /// <summary>How what failed is tried again.</summary>
    public RetryPolicy Retry { get; }

    /// <summary>What ends calls to which nothing comes.</summary>
    public StallGuards Guards { get; }

    /// <summary>How long its server may stay silent.</summary>
    public Patience Patience { get; }

    /// <summary>Where reads wait that the server does not serve beside the others.</summary>
    public Turns Turns { get; }

    /// <summary>Bytes that have come from stores across a network to all loads of this process.</summary>
    public static long AllBytes => Interlocked.Read(ref _allBytes);

    /// <summary>Requests to stores across a network, repeated ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that were repeated because the one before failed or stalled.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Answers that asked for fewer requests at once.</summary>
    public long Throttles => Interlocked.Read(ref _throttles);

    /// <summary>Bytes that have come from stores across a network.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Is told of every retry: what failed, which attempt it was, and how long the wait is.</summary>
    public Action<WeightSourceException, int, TimeSpan>? Retrying { get; set; }

    /// <summary>Is told of what a store finds odd and no error: the file as it may be shown, and the message.</summary>
    public Action<string, string>? Noted { get; set; }

    /// <summary>
    /// One load's own; disposed when the load has ended. What it counts is counted here too. What one server answers is nothing to a load
    /// from another, but loads that run at the same time from one origin share patience and turns: the connection that one of them keeps
    /// after its last answer may be the only one that the server would serve another with.
    /// </summary>
    /// <param name="uri">What is loaded.</param>
    public TransferContext OfOneLoad(WeightUri uri) => new(this, OriginOf(uri));

    public void Dispose() => _all?.Leave(_origin);

    public void CountRequest()
    {
        Interlocked.Increment(ref _requests);
        _all?.CountRequest();
    }

    public void CountBytes(int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (_all is null)
        {
            Interlocked.Add(ref _allBytes, bytes);
        }
        else
        {
            _all.CountBytes(bytes);
        }
    }

    public void CountRetry(WeightSourceException failure, int attempt, TimeSpan wait)
    {
        Interlocked.Increment(ref _retries);
        if (failure.IsThrottled)
        {
            Interlocked.Increment(ref _throttles);
        }

        if (_all is null)
        {
            Retrying?.Invoke(failure, attempt, wait);
        }
        else
        {
            _all.CountRetry(failure, attempt, wait);
        }
    }

    private (Patience Patience, Turns Turns) Join(string name)
    {
        lock (_origins)
        {
            if (!_origins.TryGetValue(name, out Origin? origin))
            {
                var patience = new Patience(Options.StallTimeout, Time);
                _origins.Add(name, origin = new Origin(patience, new Turns(patience, Time)));
            }

            origin.Loads++;
            return (origin.Patience, origin.Turns);
        }
    }

    private void Leave(string name)
    {
        lock (_origins)
        {
            if (--_origins[name].Loads == 0)
            {
                _origins.Remove(name);
            }
        }
    }

    // The scheme with the host or bucket: all up to the path.
    private static string OriginOf(WeightUri uri)
    {
        string text = uri.Display;
        int path = uri.Scheme == "file" ? 0 : text.IndexOf('/', uri.Scheme.Length + "://".Length);
        return path < 0 ? text : text[..path];
    }

    /// <summary>What is known of a server while at least one load reads from it.</summary>
    private sealed class Origin(Patience patience, Turns turns)
    {
        public Patience Patience => patience;

        public Turns Turns => turns;

        public int Loads { get; set; }
    }
}
