using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.PerTensor"/>: an allocation of libtorch's for each tensor.</summary>
internal class PerTensorSink : CpuSink
{
    protected override void Place(TransferPlan plan)
    {
        foreach (int index in plan.InFileOrder)
        {
            torch.Tensor tensor = Empty(plan.Tensors[index].Info);
            Put(index, tensor, TensorData.Address(tensor));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        long left = HeldBytes;
        await base.DisposeAsync().ConfigureAwait(false);
        FreedMemory.TrimLater(left);
    }
}
