using TorchSharp;

namespace TypedWeights.Options;

/// <summary>Which devices loads can go to. Asking needs neither libtorch nor a driver.</summary>
internal static class ServedDevice
{
    /// <exception cref="WeightsException">No load goes to such a device, whatever the machine has; the message says which there are.</exception>
    public static void ThrowUnlessServed(torch.Device device)
    {
        bool hasType = device.type is DeviceType.CPU or DeviceType.CUDA;
        if (!hasType || device.index < -1 || (device.type == DeviceType.CPU && device.index > 0))
        {
            // TorchSharp writes "cpu" for every number.
            string text = device.type.ToString().ToLowerInvariant() + (device.index == -1 ? "" : $":{device.index}");
            string advice = hasType ? "" : " Load onto the CPU and move the tensors with .to(device).";
            throw new WeightsException(
                $"Loading onto {text} is not possible: tensors are loaded onto \"cpu\", \"cuda\" or \"cuda:N\" (N from 0).{advice}");
        }
    }
}
