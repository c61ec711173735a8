using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Devices.Cuda;

/// <summary>TorchSharp's tensors.</summary>
internal sealed class TorchTensors : IDeviceTensors
{
    public void EnsureUsable()
    {
        bool isAvailable;
        try
        {
            isAvailable = torch.cuda.is_available();
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            // Asking loads what there is for CUDA, and TorchSharp throws a page of attempts where nothing is.
            throw CudaErrors.CpuOnlyLibtorch(e);
        }

        if (!isAvailable)
        {
            throw CudaErrors.CpuOnlyLibtorch();
        }
    }

    public torch.Tensor Empty(TorchLayout layout, int device) =>
        torch.empty(layout.Shape.ToInt64Array(), layout.ScalarType, new torch.Device(DeviceType.CUDA, device)).DetachFromDisposeScope();
}
