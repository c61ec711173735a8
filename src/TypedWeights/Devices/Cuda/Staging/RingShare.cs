namespace TypedWeights.Devices.Cuda.Staging;

/// <summary>One load's part in the ring: what it holds, be it filled or copied.</summary>
internal sealed class RingShare(PinnedRing ring) : IDisposable
{
    /// <summary>The buffers that are out. The ring's to change, under its lock.</summary>
    public HashSet<RingBuffer> Held { get; } = [];

    /// <summary>Why there are no more; the ring's to set.</summary>
    public Func<Exception>? Failure { get; set; }

    /// <summary>Takes a buffer, after those who asked before.</summary>
    public ValueTask<RingBuffer> TakeAsync(CancellationToken cancellationToken) => ring.TakeAsync(this, cancellationToken);

    /// <summary>Gives one back whose copy is done.</summary>
    public void GiveBack(RingBuffer buffer) => ring.GiveBack(this, buffer);

    /// <summary>Ends this load's waits with an error.</summary>
    public void Fail(Func<Exception> failure) => ring.Fail(this, failure);

    /// <summary>Gives up what it holds.</summary>
    public void Abandon() => ring.Abandon(this);

    public void ThrowIfFailed()
    {
        if (Failure is { } failure)
        {
            throw failure();
        }
    }

    /// <summary>Gives back what it still holds, once nobody writes to it or copies from it.</summary>
    public void Dispose()
    {
        foreach (RingBuffer buffer in Held.ToArray())
        {
            GiveBack(buffer);
        }
    }
}

/// <summary>A wait for a buffer.</summary>
internal sealed class RingWaiter(RingShare share) : TaskCompletionSource<RingBuffer>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public RingShare Share { get; } = share;
}
