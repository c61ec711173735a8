namespace TypedWeights.Streaming.Limits;

/// <summary>The buffers between a source and a device: all alike, and so many.</summary>
/// <param name="BufferSize">The bytes of each, and so the most of one segment.</param>
/// <param name="Buffers">How many there may be.</param>
internal readonly record struct StagingLimits(int BufferSize, int Buffers)
{
    // Copies of this size run at the full rate of a card's bus; larger ones would only make the ring coarser.
    private const long LargestBuffer = 4L << 20;

    private const long SmallestBuffer = 64L << 10;

    // Enough for the readers of files, and for a good many connections.
    private const long WantedBuffers = 32;

    public static StagingLimits For(TransferOptions options)
    {
        // Headers, connections and hedges want their share of the limit too.
        long size = Math.Min(options.StagingSize, options.BufferLimit / 2);
        long buffer = Math.Clamp(size / WantedBuffers & -SmallestBuffer, SmallestBuffer, LargestBuffer);
        return new StagingLimits((int)buffer, (int)Math.Clamp(size / buffer, 1, int.MaxValue));
    }

    /// <summary>How many of the buffers a load can use.</summary>
    public int BuffersFor(long totalBytes) => (int)Math.Min(Buffers, (totalBytes + BufferSize - 1) / BufferSize);

    /// <summary>The bytes of those.</summary>
    public long RoomFor(long totalBytes) => (long)BuffersFor(totalBytes) * BufferSize;
}
