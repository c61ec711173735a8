using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Where bytes land: the memory of the tensors themselves, or buffers on the way to a device. One sink serves one load.
/// </summary>
/// <remarks>
/// The calls come in this order: <see cref="Allocate"/> once, before the first byte of payload; <see cref="AcquireAsync"/> and
/// <see cref="CommitAsync"/> in pairs, from many tasks at once; <see cref="CompleteAsync"/> once, when every segment of all has been
/// committed. Disposing without completing gives back all that was allocated; it comes after every writer has returned.
/// </remarks>
internal interface IWeightSink : IAsyncDisposable
{
    /// <summary>Makes room for the plan's tensors.</summary>
    void Allocate(TransferPlan plan);

    /// <summary>The most bytes that the sink takes in one segment; the plan is cut so.</summary>
    long SegmentSize => long.MaxValue;

    /// <summary>
    /// Whether a segment and the one that follows it in its range may come as one, which begins as the first does and is as long as both:
    /// thousands of small tensors are read at one go. The first may be such a joined one already.
    /// </summary>
    bool IsContinued(TransferSegment segment, TransferSegment by) => false;

    /// <summary>Gives the memory that a segment's bytes are to be written to; it may wait until a buffer is free.</summary>
    ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken);

    /// <summary>Takes back memory that has been filled to the last byte.</summary>
    ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken);

    /// <summary>Returns when every committed byte is where the user will read it.</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}
