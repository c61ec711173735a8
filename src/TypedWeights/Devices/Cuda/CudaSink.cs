using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>
/// Tensors of a GPU: bytes are read into pinned buffers and copied from there while the next bytes are read. Host memory stays at the size of
/// the ring, whatever the size of the model.
/// </summary>
/// <param name="engine">The loader's.</param>
/// <param name="context">The device.</param>
/// <param name="storage">How the tensors are allocated there.</param>
internal sealed class CudaSink(CudaEngine engine, CudaContext context, TensorStorage storage) : ITensorSink
{
    private DeviceLayout? _layout;
    private DeviceTensorSet? _tensors;
    private CopyStream? _copies;
    private bool _holdsContext;

    public long SegmentSize => engine.Ring.BufferSize;

    public bool Reads(CheckpointFile file, TensorInfo tensor) => true;

    public torch.Device DeviceOf(int tensor) => new(DeviceType.CUDA, context.Device);

    public SinkMemory MemoryOf(TransferPlan plan) => SinkMemory.OnDevice(context.Title, Layout(plan), engine.Ring.SizeFor(plan));

    public void Allocate(TransferPlan plan)
    {
        // The loader may be disposed before there is a stream that keeps the context.
        ObjectDisposedException.ThrowIf(context.IsClosed, context);
        context.DangerousAddRef(ref _holdsContext);
        DeviceTensorSet tensors = _tensors = new DeviceTensorSet(engine.Tensors, context, plan);
        tensors.Allocate(Layout(plan));
        if (plan.TotalBytes > 0)
        {
            _copies = new CopyStream(engine.Ring, context, plan, tensors.PlaceOf);
            _copies.WaitForTorch();
        }
    }

    // A buffer takes the bytes that follow in the file, whatever tensors they belong to; the copies distribute them.
    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Length + by.Length <= SegmentSize;

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        _copies!.AcquireAsync(segment, cancellationToken);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        _copies!.Commit(segment, memory);
        return ValueTask.CompletedTask;
    }

    // All copies of the tensor are in the stream; the wait includes earlier copies of other tensors.
    public ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) => CompleteAsync(cancellationToken);

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_copies is not null)
        {
            await _copies.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(
        int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await WhenReadyAsync(tensor, cancellationToken).ConfigureAwait(false);
        _tensors!.ReadBack(tensor, offset, buffer);
        return buffer;
    }

    public torch.Tensor TakeTensor(int tensor) => _tensors!.Take(tensor);

    public async ValueTask DisposeAsync()
    {
        // No copy may run when tensors are freed: libtorch gives the memory of a freed tensor to the next one at once.
        bool isDrained = _copies is null || await _copies.EndAsync().ConfigureAwait(false);
        _copies = null;
        if (!isDrained)
        {
            _tensors?.Abandon();
        }

        _tensors?.Dispose();
        _tensors = null;
        if (_holdsContext)
        {
            _holdsContext = false;
            context.DangerousRelease();
        }
    }

    private DeviceLayout Layout(TransferPlan plan) => _layout ??= DeviceLayout.Of(
        plan, storage == TensorStorage.Arena ? static info => (int)TorchLayout.Of(info.DType, info.Shape).ScalarType : null);
}
