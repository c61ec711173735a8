using TorchSharp;
using TypedWeights.Devices;
using TypedWeights.Devices.Converting;
using TypedWeights.Devices.Cpu;
using TypedWeights.Devices.Cuda;
using TypedWeights.Devices.Placing;
using TypedWeights.Options;

namespace TypedWeights.Loading;

/// <summary>The one place where a device gets its sink.</summary>
internal static class TensorSinks
{
    /// <summary>Makes the sink of a load.</summary>
    /// <param name="options">How the load is done.</param>
    /// <param name="transfer">How its bytes are fetched.</param>
    /// <param name="cuda">What the loader's loads onto GPUs share.</param>
    /// <exception cref="WeightsException">A device is not served, or the options make no sense together.</exception>
    public static ITensorSink Create(CommonLoadOptions options, TransferOptions transfer, CudaEngine cuda)
    {
        var rule = DTypeRule.Of(options);
        torch.Device device = DeviceOf(options);
        ITensorSink sink = options.Placement is { } placement
            ? new PlacedSink(placement, device, of => OfDevice(of, options, cuda))
            : OfDevice(device, options, cuda);
        return rule is null ? sink : new ConvertingSink(sink, rule, transfer);
    }

    private static ITensorSink OfDevice(torch.Device device, CommonLoadOptions options, CudaEngine cuda)
    {
        ServedDevice.ThrowUnlessServed(device);
        return device.type == DeviceType.CUDA ? OfCuda(device, options, cuda) : OfCpu(options.Storage);
    }

    private static CpuSink OfCpu(TensorStorage storage) => storage switch
    {
        TensorStorage.PerTensor => new PerTensorSink(),
        TensorStorage.Mapped => new MappedSink(),
        _ => new ArenaSink(),
    };

    // "cuda" alone is the first one.
    private static CudaSink OfCuda(torch.Device device, CommonLoadOptions options, CudaEngine cuda) => options.Storage == TensorStorage.Mapped
        ? throw new WeightsException(
            "TensorStorage.Mapped is the file itself in host memory, so it goes with the CPU alone; "
                + "for a GPU take TensorStorage.Arena or PerTensor.")
        : new CudaSink(cuda, cuda.ContextOf(Math.Max(0, device.index)), options.Storage);

    // What is mapped is on the CPU, whatever the default.
    private static torch.Device DeviceOf(CommonLoadOptions options) =>
        options.Device
            ?? (CudaBackend.Simulated is null || options.Storage == TensorStorage.Mapped ? torch.CPU : new torch.Device(DeviceType.CUDA, 0));
}
