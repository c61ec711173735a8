using TypedWeights.Devices.Cuda;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.GpuBench;

/// <summary>Copies onto a device as the engine does, but into memory of the driver, without tensors.</summary>
internal sealed class DriverSink(CudaEngine engine, CudaContext context) : IWeightSink
{
    private DriverMemory? _memory;
    private StagedTransfer? _transfer;

    public long SegmentSize => engine.Ring.BufferSize;

    public void Allocate(TransferPlan plan)
    {
        DeviceBlock block = DeviceLayout.Of(plan, static _ => 0).Blocks[0];
        nint[] offsets = new nint[plan.Tensors.Count];
        foreach ((int tensor, long offset) in block.Places)
        {
            offsets[tensor] = (nint)offset;
        }

        _memory = new DriverMemory(context, block.Length);
        _transfer = new StagedTransfer(engine.Ring, context, plan, tensor => new DevicePlace(_memory.Address + offsets[tensor], 0));
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Length + by.Length <= SegmentSize;

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        _transfer!.AcquireAsync(segment, cancellationToken);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        _transfer!.Commit(segment, memory);
        return ValueTask.CompletedTask;
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken) => await _transfer!.FlushAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_transfer is not null)
        {
            await _transfer.EndAsync();
        }

        _memory?.Dispose();
    }
}
