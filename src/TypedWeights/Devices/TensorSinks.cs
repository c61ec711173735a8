using TorchSharp;
using TypedWeights.Devices.Cpu;
using TypedWeights.Devices.Cuda;

namespace TypedWeights.Devices;

/// <summary>The one place where a device gets its sink.</summary>
internal static class TensorSinks
{
    public static ITensorSink Create(LoadOptions options, CudaEngine cuda) => (Of(options)?.type ?? DeviceType.CPU) switch
    {
        DeviceType.CPU => options.Storage switch
        {
            TensorStorage.Arena => new ArenaSink(),
            TensorStorage.PerTensor => new PerTensorSink(),
            TensorStorage.Mapped => new MappedSink(),
            TensorStorage other => throw NoStorage(other),
        },
        DeviceType.CUDA => options.Storage switch
        {
            // "cuda" alone is the first one.
            TensorStorage.Arena or TensorStorage.PerTensor => new CudaSink(cuda, cuda.ContextOf(Math.Max(0, Of(options)!.index)), options.Storage),
            TensorStorage.Mapped => throw new WeightsException(
                "TensorStorage.Mapped is the file itself in host memory, so it goes with the CPU alone; for a GPU take TensorStorage.Arena or PerTensor."),
            TensorStorage other => throw NoStorage(other),
        },
        DeviceType other => throw new WeightsException(
            $"Loading onto {other.ToString().ToLowerInvariant()} is not there: tensors are loaded onto \"cpu\", \"cuda\" or \"cuda:N\". "
                + "Load onto the CPU and move the tensors with .to(device)."),
    };

    // What is mapped is on the CPU, whatever the default.
    private static torch.Device? Of(LoadOptions options) =>
        options.Device ?? (options.Storage == TensorStorage.Mapped ? null : DeviceDefaults.Device);

    private static WeightsException NoStorage(TensorStorage storage) =>
        new($"LoadOptions.Storage is {(int)storage}, which is no TensorStorage.");
}
