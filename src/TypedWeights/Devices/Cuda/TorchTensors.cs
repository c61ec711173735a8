using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Devices.Cuda;

/// <summary>TorchSharp's tensors.</summary>
internal sealed class TorchTensors : IDeviceTensors
{
    public void EnsureUsable()
    {
        if (!torch.cuda.is_available())
        {
            throw CudaErrors.CpuOnlyLibtorch();
        }
    }

    public torch.Tensor Empty(TorchLayout layout, int device) =>
        torch.empty(layout.Shape.ToInt64Array(), layout.ScalarType, new torch.Device(DeviceType.CUDA, device)).DetachFromDisposeScope();
}
