using System.Collections.Concurrent;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Retry;

/// <summary>
/// What all transfers of one loader share, or those of one command of the tool. <see cref="OfOneLoad"/> makes a context with the counts of
/// one load.
/// </summary>
internal sealed class TransferContext
{
    private readonly TransferContext? _loader;
    private readonly ConcurrentDictionary<string, Turns> _origins = new(StringComparer.Ordinal);
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
        Turns = NewTurns();
    }

    private TransferContext(TransferContext loader, Turns turns)
    {
        _loader = loader;
        Options = loader.Options;
        Time = loader.Time;
        Pacer = loader.Pacer;
        Turns = turns;
    }

    public TransferOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>Slows every read down to the rate of the options; null without a limit.</summary>
    public BytePacer? Pacer { get; }

    /// <summary>The queue of reads that the server does not serve while it serves others.</summary>
    public Turns Turns { get; }

    /// <summary>How long the server may stall.</summary>
    public Patience Patience => Turns.Patience;

    /// <summary>Requests across a network, repeated ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that were repeated because the request before failed or stalled.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Responses that requested fewer simultaneous requests.</summary>
    public long Throttles => Interlocked.Read(ref _throttles);

    /// <summary>Bytes received across a network.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes received across a network by all loads of the loader.</summary>
    public long LoaderBytes => (_loader ?? this).Bytes;

    /// <summary>Raised before every retry: the failure, the number of failed attempts, and the wait.</summary>
    public event Action<WeightSourceException, int, TimeSpan>? Retrying;

    /// <summary>Raised when a store reports a warning: the file as it may be shown, and the message.</summary>
    public event Action<string, string>? Noted;

    /// <summary>
    /// The context of one load. Its counts are added to those of this context. Loads from one origin share the turns and the patience: the
    /// server may accept so few connections that another load can only use the one that this load still keeps open.
    /// </summary>
    /// <param name="uri">The checkpoint.</param>
    public TransferContext OfOneLoad(WeightUri uri) => new(this, _origins.GetOrAdd(OriginOf(uri), _ => NewTurns()));

    public void Note(string source, string message) => Noted?.Invoke(source, message);

    public void CountRequest()
    {
        Interlocked.Increment(ref _requests);
        _loader?.CountRequest();
    }

    public void CountBytes(int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        _loader?.CountBytes(bytes);
    }

    public void CountRetry(WeightSourceException failure, int failures, TimeSpan wait)
    {
        Interlocked.Increment(ref _retries);
        if (failure.IsThrottled)
        {
            Interlocked.Increment(ref _throttles);
        }

        Retrying?.Invoke(failure, failures, wait);
        _loader?.CountRetry(failure, failures, wait);
    }

    private Turns NewTurns() => new(new Patience(Options.StallTimeout, Time), Time);

    // The scheme with the host or bucket: everything before the path.
    private static string OriginOf(WeightUri uri)
    {
        string text = uri.Display;
        int path = uri.Scheme == "file" ? 0 : text.IndexOf('/', uri.Scheme.Length + "://".Length);
        return path < 0 ? text : text[..path];
    }
}
