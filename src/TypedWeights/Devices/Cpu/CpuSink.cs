using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cpu;

/// <summary>Tensors in main memory: what is read lands in them without another copy.</summary>
internal sealed class CpuSink : ITensorSink
{
    private List<torch.Tensor> _tensors = [];
    private nint[] _addresses = [];

    public void Allocate(TransferPlan plan)
    {
        _addresses = new nint[plan.Tensors.Count];
        for (int i = 0; i < _addresses.Length; i++)
        {
            TensorInfo info = plan.Tensors[i].Info;
            torch.Tensor tensor = Empty(info, TorchLayout.Of(info.DType, info.Shape));
            _tensors.Add(tensor);
            _addresses[i] = info.ByteLength == 0 ? 0 : TensorData.Address(tensor);
        }
    }

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) => ValueTask.FromResult(
        new NativeMemoryManager(_addresses[segment.Tensor] + (nint)segment.Offset, checked((int)segment.Length)).Memory);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public IReadOnlyList<torch.Tensor> TakeTensors()
    {
        List<torch.Tensor> taken = _tensors;
        _tensors = [];
        return taken;
    }

    public ValueTask DisposeAsync()
    {
        foreach (torch.Tensor tensor in TakeTensors())
        {
            tensor.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static torch.Tensor Empty(TensorInfo info, TorchLayout layout)
    {
        try
        {
            // The caller may stand in a dispose scope of its own; these tensors outlive it.
            return torch.empty(layout.Shape, layout.ScalarType, torch.CPU).DetachFromDisposeScope();
        }
        catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or OutOfMemoryException)
        {
            throw new WeightsException(
                $"libtorch could not allocate \"{info.Name}\" ({info.DType.Name()} {info.Shape}, {info.ByteLength} bytes): {e.Message}", e);
        }
    }
}
