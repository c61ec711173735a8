using TorchSharp;
using TypedWeights.Interop;

namespace TypedWeights.Tests.Loading;

/// <summary>A tensor's bytes as they lie in memory, whatever its dtype.</summary>
internal static class TensorBytes
{
    public static unsafe byte[] Of(torch.Tensor tensor)
    {
        long length = tensor.numel() * tensor.element_size();
        return length == 0 ? [] : new ReadOnlySpan<byte>((void*)TensorData.Address(tensor), checked((int)length)).ToArray();
    }
}
