using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Devices.Cpu;

/// <summary>Tensors in main memory: what is read lands in them without another copy. Which memory that is, says the kind.</summary>
internal abstract class CpuSink : ITensorSink
{
    private torch.Tensor?[] _tensors = [];
    private TensorAddresses _addresses;

    public virtual bool Reads(CheckpointFile file, TensorInfo tensor) => true;

    public torch.Device DeviceOf(int tensor) => torch.CPU;

    public void Allocate(TransferPlan plan)
    {
        _tensors = new torch.Tensor?[plan.Tensors.Count];
        _addresses = new TensorAddresses(plan.Tensors.Count);
        Place(plan);
        for (int i = 0; i < _tensors.Length; i++)
        {
            _tensors[i] ??= Empty(plan.Tensors[i].Info);
        }
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) => _addresses.AreContinued(segment, by);

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_addresses.Of(segment));

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ReadOnlyMemory<byte>>(_addresses.Of(tensor, offset, buffer.Length));

    public torch.Tensor TakeTensor(int tensor)
    {
        torch.Tensor taken = _tensors[tensor]!;
        _tensors[tensor] = null;
        return taken;
    }

    public virtual ValueTask DisposeAsync()
    {
        foreach (torch.Tensor? tensor in _tensors)
        {
            tensor?.Dispose();
        }

        _tensors = [];
        return ValueTask.CompletedTask;
    }

    /// <summary>Bytes of tensors that nobody has taken: after a failure, all.</summary>
    protected long HeldBytes => _tensors.Sum(static tensor => tensor is null ? 0 : tensor.numel() * tensor.element_size());

    /// <summary>Makes the tensors that have bytes, with <see cref="Put"/>; those without are made elsewhere.</summary>
    protected abstract void Place(TransferPlan plan);

    /// <summary>Makes tensors over memory that is there already.</summary>
    /// <param name="region">The memory.</param>
    /// <param name="tensors">The plan's tensors.</param>
    /// <param name="places">Which of them, and where each begins in the memory.</param>
    protected void PlaceOver(SharedRegion region, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<(int Tensor, long Offset)> places)
    {
        foreach ((int index, long offset) in places)
        {
            TensorInfo info = tensors[index].Info;
            nint address = region.Address + (nint)offset;
            Put(index, TensorOverMemory.Create(region, address, TorchLayout.Of(info.DType, info.Shape)), address);
        }
    }

    /// <summary>Takes a tensor that was made, and the address that its bytes go to.</summary>
    protected void Put(int index, torch.Tensor tensor, nint address)
    {
        _tensors[index] = tensor;
        _addresses[index] = address;
    }

    /// <summary>Lets libtorch allocate a tensor.</summary>
    protected static torch.Tensor Empty(TensorInfo info)
    {
        TorchLayout layout = TorchLayout.Of(info.DType, info.Shape);
        try
        {
            // The caller may stand in a dispose scope of its own; these tensors outlive it.
            return torch.empty(layout.Shape.ToInt64Array(), layout.ScalarType, torch.CPU).DetachFromDisposeScope();
        }
        catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or OutOfMemoryException)
        {
            throw new WeightsException(
                $"libtorch could not allocate \"{info.Name}\" ({info.DType.Name()} {info.Shape.ToShortString()}, {info.ByteLength} bytes): "
                    + e.Message,
                e);
        }
    }
}
