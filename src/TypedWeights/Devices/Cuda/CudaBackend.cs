using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Devices.Cuda;

/// <summary>The driver and the tensor library that loads onto GPUs use. Tests replace both by a simulated GPU.</summary>
/// <param name="Driver">Contexts, streams, events, pinned memory, copies.</param>
/// <param name="Tensors">Tensors on devices.</param>
internal sealed record CudaBackend(ICudaDriver Driver, IDeviceTensors Tensors)
{
    private static readonly Lazy<CudaBackend> OfTheSystem = new(static () => new CudaBackend(new CudaDriver(), new TorchTensors()));

    /// <summary>NVIDIA's driver and libtorch.</summary>
    public static CudaBackend System => OfTheSystem.Value;

    /// <summary>
    /// Is set by a test process before its first load: loads use this backend instead of <see cref="System"/>, and its first device if
    /// their options name no device.
    /// </summary>
    public static CudaBackend? Simulated { get; set; }
}

/// <summary>
/// The tensor library: it makes tensors on a device. <see cref="TensorData"/> reads their addresses, and they are freed like other tensors.
/// </summary>
internal interface IDeviceTensors
{
    /// <summary>Makes sure that tensors can be made on GPUs at all.</summary>
    /// <exception cref="WeightsException">They cannot; the message says what to change.</exception>
    void EnsureUsable();

    /// <summary>Makes a tensor whose elements are whatever was in the memory. It belongs to no dispose scope.</summary>
    /// <remarks>Work in the library's stream may still read the memory: a copy from another stream waits for that work.</remarks>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">The library failed; the message is the one it reports.</exception>
    torch.Tensor Empty(TorchLayout layout, int device);
}

/// <summary>TorchSharp's tensors.</summary>
internal sealed class TorchTensors : IDeviceTensors
{
    public void EnsureUsable()
    {
        try
        {
            if (torch.cuda.is_available())
            {
                return;
            }
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            // The call loads the libraries for CUDA; if they are missing, TorchSharp lists all its attempts in a page of text.
            throw CudaErrors.CpuOnlyLibtorch(e);
        }

        throw CudaErrors.CpuOnlyLibtorch();
    }

    public torch.Tensor Empty(TorchLayout layout, int device) =>
        torch.empty(layout.Shape.ToInt64Array(), layout.ScalarType, new torch.Device(DeviceType.CUDA, device)).DetachFromDisposeScope();
}
