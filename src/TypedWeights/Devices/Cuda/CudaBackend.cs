using TypedWeights.Interop.Cuda;

namespace TypedWeights.Devices.Cuda;

/// <summary>Both halves of the seam. Nothing above them knows whether there is a card.</summary>
/// <param name="Driver">Contexts, streams, events, page-locked memory, copies.</param>
/// <param name="Tensors">Tensors on devices.</param>
internal sealed record CudaBackend(ICudaDriver Driver, IDeviceTensors Tensors)
{
    private static readonly Lazy<CudaBackend> OfTheSystem = new(static () => new CudaBackend(new CudaDriver(), new TorchTensors()));

    /// <summary>NVIDIA's driver and libtorch.</summary>
    public static CudaBackend System => OfTheSystem.Value;
}
