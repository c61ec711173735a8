using TypedWeights.Streaming.Limits;
using TypedWeights.Streaming.Retry;

namespace TypedWeights.Streaming;

/// <summary>What all transfers of one loader, or of one command of the tool, share.</summary>
internal sealed class TransferContext
{
    private long _requests;
    private long _retries;
    private long _hedges;
    private long _throttles;
    private long _bytes;

    public TransferContext(TransferOptions? options = null, TimeProvider? time = null)
    {
        Options = options ?? new TransferOptions();
        Options.Validate();
        Time = time ?? TimeProvider.System;
        Pacer = Options.BytesPerSecond is { } rate ? new BytePacer(rate, Time) : null;
        Retry = new RetryPolicy(this);
        Guards = new StallGuards(Options.StallTimeout, Time);
    }

    public TransferOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>Slows every read down to the wanted rate; null where none was set.</summary>
    public BytePacer? Pacer { get; }

    /// <summary>How what failed is tried again.</summary>
    public RetryPolicy Retry { get; }

    /// <summary>What ends calls to which nothing comes.</summary>
    public StallGuards Guards { get; }

    /// <summary>Requests to stores across a network, repeated ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that were repeated because the one before failed or stalled.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Parts that were asked for a second time because they straggled.</summary>
    public long Hedges => Interlocked.Read(ref _hedges);

    /// <summary>Answers that asked for fewer requests at once.</summary>
    public long Throttles => Interlocked.Read(ref _throttles);

    /// <summary>Bytes that have come from stores across a network, over all transfers.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Is told of every retry: what failed, which attempt it was, and how long the wait is.</summary>
    public Action<WeightSourceException, int, TimeSpan>? Retrying { get; set; }

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public void CountBytes(int bytes) => Interlocked.Add(ref _bytes, bytes);

    public void CountHedge() => Interlocked.Increment(ref _hedges);

    public void CountRetry(WeightSourceException failure, int attempt, TimeSpan wait)
    {
        Interlocked.Increment(ref _retries);
        if (failure.IsThrottled)
        {
            Interlocked.Increment(ref _throttles);
        }

        Retrying?.Invoke(failure, attempt, wait);
    }
}
