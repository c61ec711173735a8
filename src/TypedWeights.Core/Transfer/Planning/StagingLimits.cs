namespace TypedWeights.Transfer.Planning;

/// <summary>The size and the number of the buffers between a source and a device.</summary>
/// <param name="BufferSize">The bytes of each, and so the most of one segment.</param>
/// <param name="Buffers">How many there may be.</param>
internal readonly record struct StagingLimits(int BufferSize, int Buffers)
{
    // Copies of this size run near the full rate of the bus; larger ones only make the ring coarser.
    private const long LargestBuffer = 2L << 20;

    private const long SmallestBuffer = 64L << 10;

    // A connection without a buffer sends no request: enough for 32 connections, with copies under way and a quarter left for other loads.
    private const long WantedBuffers = 64;

    public static StagingLimits For(TransferOptions options)
    {
        // Headers and connections need their share of the limit.
        long size = Math.Min(options.StagingSize, options.BufferLimit / 2);
        long buffer = Math.Clamp(size / WantedBuffers & -SmallestBuffer, SmallestBuffer, LargestBuffer);
        return new StagingLimits((int)buffer, (int)Math.Clamp(size / buffer, 1, int.MaxValue));
    }

    /// <summary>The number of buffers that a load can use: those that its ranges would fill if all were read at once.</summary>
    public int BuffersFor(TransferPlan plan)
    {
        long size = BufferSize;
        return (int)Math.Min(Buffers, plan.Ranges.Sum(range => (range.Length + size - 1) / size));
    }

    /// <summary>The bytes of those buffers.</summary>
    public long SizeFor(TransferPlan plan) => (long)BuffersFor(plan) * BufferSize;
}
