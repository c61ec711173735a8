using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Where the bytes of a job go: the memory of the tensors, or buffers on the way to a device. One sink serves one job.
/// </summary>
/// <remarks>
/// The calls come in this order: <see cref="Allocate"/> once, before the first byte of payload; <see cref="AcquireAsync"/> and
/// <see cref="CommitAsync"/> in pairs, from many tasks at once; <see cref="CompleteAsync"/> once, when every segment has been committed.
/// A sink that is disposed before it is complete frees everything it allocated. It is disposed after every writer has returned.
/// </remarks>
internal interface IWeightSink : IAsyncDisposable
{
    /// <summary>Allocates the memory of the plan's tensors.</summary>
    void Allocate(TransferPlan plan);

    /// <summary>The most bytes of one segment. The plan is cut accordingly.</summary>
    long SegmentSize => long.MaxValue;

    /// <summary>
    /// Whether a segment and the next one of its range may be joined to one segment with the length of both, so that thousands of small
    /// tensors are read at once. The first segment may already be a joined one.
    /// </summary>
    bool IsContinued(TransferSegment segment, TransferSegment by) => false;

    /// <summary>Returns the memory for the bytes of a segment. May wait until a buffer is free.</summary>
    ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken);

    /// <summary>Takes back memory that has been filled completely.</summary>
    ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken);

    /// <summary>Returns when every committed byte is in the memory that the user reads.</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}
