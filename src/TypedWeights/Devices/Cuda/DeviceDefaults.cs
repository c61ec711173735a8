using TorchSharp;

namespace TypedWeights.Devices.Cuda;

/// <summary>What a test process sets before its first load, so that loads which ask for no device go to a simulated one.</summary>
internal static class DeviceDefaults
{
    /// <summary>Stands in for NVIDIA's driver and libtorch; null for them.</summary>
    public static CudaBackend? Backend { get; set; }

    /// <summary>Where loads go that name no device; null for the CPU.</summary>
    public static torch.Device? Device { get; set; }
}
