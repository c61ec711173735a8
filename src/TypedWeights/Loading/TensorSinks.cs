using TorchSharp;
using TypedWeights.Devices;
using TypedWeights.Devices.Converting;
using TypedWeights.Devices.Cpu;
using TypedWeights.Devices.Cuda;
using TypedWeights.Devices.Placing;

namespace TypedWeights.Loading;

/// <summary>Creates the sink of each device.</summary>
internal static class TensorSinks
{
    /// <summary>Makes the sink of a load.</summary>
    /// <param name="options">How the tensors are loaded.</param>
    /// <param name="transfer">How their bytes are read.</param>
    /// <param name="cuda">What the loader's loads onto GPUs share.</param>
    /// <exception cref="WeightsException">A device cannot be used, or two options contradict each other.</exception>
    public static ITensorSink Create(CommonLoadOptions options, TransferOptions transfer, CudaEngine cuda)
    {
        var rule = DTypeRule.Of(options);
        torch.Device device = options.Device
            ?? (CudaBackend.Simulated is null || options.Storage == TensorStorage.Mapped ? torch.CPU : new torch.Device(DeviceType.CUDA, 0));
        ITensorSink sink = options.Placement is { } placement
            ? new PlacedSink(placement, device, of => OfDevice(of, options.Storage, cuda))
            : OfDevice(device, options.Storage, cuda);
        return rule is null ? sink : new ConvertingSink(sink, rule, transfer);
    }

    private static ITensorSink OfDevice(torch.Device device, TensorStorage storage, CudaEngine cuda) => (device.type, storage) switch
    {
        (DeviceType.CUDA, TensorStorage.Mapped) => throw new WeightsException(
            "TensorStorage.Mapped maps the file into host memory, so it works only on the CPU; "
                + "for a GPU use TensorStorage.Arena or PerTensor."),

        // "cuda" alone is the first one.
        (DeviceType.CUDA, _) => new CudaSink(cuda, cuda.ContextOf(Math.Max(0, device.index)), storage),
        (_, TensorStorage.PerTensor) => new PerTensorSink(),
        (_, TensorStorage.Mapped) => new MappedSink(),
        _ => new ArenaSink(),
    };
}
