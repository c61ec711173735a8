using TorchSharp;
using TypedWeights.Devices.Cpu;

namespace TypedWeights.Devices;

/// <summary>The one place where a device gets its sink.</summary>
internal static class TensorSinks
{
    public static ITensorSink Create(LoadOptions options) => (options.Device?.type ?? DeviceType.CPU) switch
    {
        DeviceType.CPU => options.Storage switch
        {
            TensorStorage.Arena => new ArenaSink(),
            TensorStorage.PerTensor => new PerTensorSink(),
            TensorStorage.Mapped => new MappedSink(),
            TensorStorage other => throw new WeightsException($"LoadOptions.Storage is {(int)other}, which is no TensorStorage."),
        },
        DeviceType other => throw new WeightsException(
            $"Loading onto {other.ToString().ToLowerInvariant()} is not in this version; load onto the CPU and move the tensors with .to(device)."),
    };
}
