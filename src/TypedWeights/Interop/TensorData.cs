using System.Runtime.InteropServices;
using TorchSharp;

namespace TypedWeights.Interop;

/// <summary>The address of a tensor's first byte, on whatever device it is.</summary>
internal static partial class TensorData
{
    /// <remarks>TorchSharp's own ways to the bytes copy, end at 2 GiB, or have no bfloat16; this one only asks.</remarks>
    public static nint Address(torch.Tensor tensor)
    {
        nint address = THSTensor_data(tensor.Handle);
        GC.KeepAlive(tensor);
        return address;
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint handle);
}
