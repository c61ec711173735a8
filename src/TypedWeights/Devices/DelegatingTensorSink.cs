using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices;

/// <summary>
/// A sink that wraps another one and passes every call on: what a derived class does not override is the inner sink's, never a default of
/// the interface.
/// </summary>
/// <param name="inner">The wrapped sink; disposed with this one.</param>
internal abstract class DelegatingTensorSink(ITensorSink inner) : ITensorSink
{
    public virtual long SegmentSize => inner.SegmentSize;

    protected ITensorSink Inner => inner;

    public virtual void Select(TensorSelection selection, Lazy<UseOrder> order) => inner.Select(selection, order);

    public virtual torch.Device DeviceOf(int tensor) => inner.DeviceOf(tensor);

    public virtual DType DTypeOf(int tensor, DType inFile) => inner.DTypeOf(tensor, inFile);

    public virtual bool Reads(CheckpointFile file, TensorInfo tensor) => inner.Reads(file, tensor);

    public virtual SinkMemory MemoryOf(TransferPlan plan) => inner.MemoryOf(plan);

    public virtual void Allocate(TransferPlan plan) => inner.Allocate(plan);

    public virtual bool IsContinued(TransferSegment segment, TransferSegment by) => inner.IsContinued(segment, by);

    public virtual ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        inner.AcquireAsync(segment, cancellationToken);

    public virtual ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
        inner.CommitAsync(segment, memory, cancellationToken);

    public virtual ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) => inner.WhenReadyAsync(tensor, cancellationToken);

    public virtual ValueTask CompleteAsync(CancellationToken cancellationToken) => inner.CompleteAsync(cancellationToken);

    public virtual ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(
        int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(tensor, offset, buffer, cancellationToken);

    public virtual torch.Tensor TakeTensor(int tensor) => inner.TakeTensor(tensor);

    public virtual void Report(ISinkReport report) => inner.Report(report);

    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();
}
