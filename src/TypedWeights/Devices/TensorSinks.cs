using TorchSharp;
using TypedWeights.Devices.Converting;
using TypedWeights.Devices.Cpu;
using TypedWeights.Devices.Placing;
using TypedWeights.Loading.Placing;

namespace TypedWeights.Devices;

/// <summary>The one place where a device gets its sink.</summary>
internal static class TensorSinks
{
    /// <summary>Makes the sink of a load.</summary>
    /// <param name="options">How the load is done.</param>
    /// <param name="transfer">How its bytes are fetched.</param>
    /// <exception cref="WeightsException">A device is not served, or the options make no sense together.</exception>
    public static ITensorSink Create(LoadOptions options, TransferOptions transfer)
    {
        var rule = DTypeRule.Of(options);
        torch.Device device = options.Device ?? torch.CPU;
        ITensorSink sink = options.Placement is { } placement
            ? new PlacedSink(placement, device, of => OfDevice(of, options))
            : OfDevice(device, options);
        return rule is null ? sink : new ConvertingSink(sink, rule, transfer);
    }

    private static ITensorSink OfDevice(torch.Device device, LoadOptions options) => device.type switch
    {
        DeviceType.CPU => options.Storage switch
        {
            TensorStorage.Arena => new ArenaSink(),
            TensorStorage.PerTensor => new PerTensorSink(),
            TensorStorage.Mapped => new MappedSink(),
            TensorStorage other => throw new WeightsException($"LoadOptions.Storage is {(int)other}, which is no TensorStorage."),
        },
        _ => throw new WeightsException(
            $"Loading onto {PlacedTensors.Text(device)} is not in this version; load onto the CPU and move the tensors with .to(device)."),
    };
}
