using TorchSharp;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Interop;

public sealed class TorchNativeTests
{
    [Fact]
    public void EnsureLoaded_makes_TorchSharp_work()
    {
        TorchNative.EnsureLoaded();
        using Tensor ones = torch.ones(3);
        Assert.Equal(3f, ones.sum().item<float>());
    }
}
