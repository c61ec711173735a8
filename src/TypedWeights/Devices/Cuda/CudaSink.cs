using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices.Placing;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>
/// Tensors of a GPU: bytes land in page-locked buffers and are copied from there while the next ones land. Host memory stays at the
/// size of the ring, whatever that of the model.
/// </summary>
/// <param name="engine">The loader's.</param>
/// <param name="context">The device.</param>
/// <param name="storage">How the tensors lie there.</param>
internal sealed class CudaSink(CudaEngine engine, CudaContext context, TensorStorage storage) : ITensorSink
{
    private DeviceLayout? _layout;
    private DeviceTensorSet? _tensors;
    private StagedTransfer? _transfer;
    private bool _holdsContext;

    public long SegmentSize => engine.Ring.BufferSize;

    public bool Reads(CheckpointFile file, TensorInfo tensor) => true;

    public torch.Device DeviceOf(int tensor) => new(DeviceType.CUDA, context.Device);

    public SinkMemory MemoryOf(TransferPlan plan) =>
        SinkMemory.OnDevice(PlacedTensors.Text(DeviceOf(0)), Layout(plan), engine.Ring.RoomFor(plan));

    public void Allocate(TransferPlan plan)
    {
        // The loader may be disposed before there is a stream that keeps the context.
        DisposedLoader.ThrowIf(context.IsClosed);
        context.DangerousAddRef(ref _holdsContext);
        DeviceTensorSet tensors = _tensors = new DeviceTensorSet(engine.Tensors, context, plan);
        tensors.Allocate(Layout(plan));
        if (plan.TotalBytes > 0)
        {
            _transfer = new StagedTransfer(engine.Ring, context, plan, tensors.PlaceOf);
            _transfer.WaitForTorch();
        }
    }

    // A buffer takes whatever follows in the file; where it goes on the device is for the copies to sort out.
    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Length + by.Length <= SegmentSize;

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        _transfer!.AcquireAsync(segment, cancellationToken);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        _transfer!.Commit(segment, memory);
        return ValueTask.CompletedTask;
    }

    // All of its copies have been put into the stream; those of others that came before are waited for with them.
    public ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) => CompleteAsync(cancellationToken);

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_transfer is not null)
        {
            await _transfer.FlushAsync(cancellationToken).ConfigureAwait(false);
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
        // First of all nothing may be under way any more: libtorch gives the memory of a freed tensor to the next one at once.
        bool isDrained = _transfer is null || await _transfer.EndAsync().ConfigureAwait(false);
        _transfer = null;
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
