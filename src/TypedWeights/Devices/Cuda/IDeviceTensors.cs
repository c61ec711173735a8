using TorchSharp;
using TypedWeights.Interop;

namespace TypedWeights.Devices.Cuda;

/// <summary>
/// The tensor library's half of the seam between the engine and a GPU: makes tensors on a device. Their addresses are theirs to say
/// (<see cref="TensorData"/>), and they are freed as all tensors are.
/// </summary>
internal interface IDeviceTensors
{
    /// <summary>Makes sure that tensors can be made on GPUs at all.</summary>
    /// <exception cref="WeightsException">They cannot; the message says what to change.</exception>
    void EnsureUsable();

    /// <summary>Makes a tensor whose elements are whatever was in the memory. It belongs to no dispose scope.</summary>
    /// <remarks>The memory may be some that work in the library's stream has yet to read: a copy from another stream waits for that.</remarks>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">The library refuses; the message has its words.</exception>
    torch.Tensor Empty(TorchLayout layout, int device);
}
