using TorchSharp;
using TypedWeights.Devices.Cpu;

namespace TypedWeights.Devices;

/// <summary>The one place where a device gets its sink.</summary>
internal static class TensorSinks
{
    public static ITensorSink Create(torch.Device? device) => (device?.type ?? DeviceType.CPU) switch
    {
        DeviceType.CPU => new CpuSink(),
        DeviceType other => throw new WeightsException(
            $"Loading onto {other.ToString().ToLowerInvariant()} is not in this version; load onto the CPU and move the tensors with .to(device)."),
    };
}
