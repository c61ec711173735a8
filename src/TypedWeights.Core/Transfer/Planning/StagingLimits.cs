namespace TypedWeights.Transfer.Planning;

/// <summary>The buffers between a source and a device: all alike, and so many.</summary>
/// <param name="BufferSize">The bytes of each, and so the most of one segment.</param>
/// <param name="Buffers">How many there may be.</param>
internal readonly record struct StagingLimits(int BufferSize, int Buffers)
{
    // Copies of this size run near the full rate of a card's bus; larger ones would only make the ring coarser.
    private const long LargestBuffer = 2L << 20;

    private const long SmallestBuffer = 64L << 10;

    // A connection without a buffer asks for nothing: enough for 32 of them, with copies under way and a quarter left to other loads.
    private const long WantedBuffers = 64;

    public static StagingLimits For(TransferOptions options)
    {
        // Headers, connections and hedges want their share of the limit too.
        long size = Math.Min(options.StagingSize, options.BufferLimit / 2);
        long buffer = Math.Clamp(size / WantedBuffers & -SmallestBuffer, SmallestBuffer, LargestBuffer);
        return new StagingLimits((int)buffer, (int)Math.Clamp(size / buffer, 1, int.MaxValue));
    }

    /// <summary>How many of the buffers a load can use: all that its ranges fill, if all were read at once.</summary>
    public int BuffersFor(TransferPlan plan)
    {
        long size = BufferSize;
        return (int)Math.Min(Buffers, plan.Ranges.Sum(range => (range.Length + size - 1) / size));
    }

    /// <summary>The bytes of those.</summary>
    public long RoomFor(TransferPlan plan) => (long)BuffersFor(plan) * BufferSize;
}
