using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Gpu;

/// <summary>The card that these tests need.</summary>
internal static class Card
{
    /// <summary>cuda:0.</summary>
    public static torch.Device Device => new(DeviceType.CUDA, 0);

    /// <summary>Skips the test with the reason where no GPU can be used; fails it where the environment says that there is one.</summary>
    public static void Require()
    {
        try
        {
            TorchNative.EnsureLoaded();
            using CudaEngine engine = Engine();
            _ = engine.ContextOf(0);
        }
        catch (WeightsException e) when (Environment.GetEnvironmentVariable("TYPEDWEIGHTS_GPU") is null or "")
        {
            Assert.Skip(e.Message);
        }
    }

    /// <summary>The card's free memory as the driver sees it.</summary>
    public static long FreeMemory()
    {
        using CudaEngine engine = Engine();
        return engine.ContextOf(0).MemoryInfo().Free;
    }

    /// <summary>A tensor's bytes, fetched by libtorch itself.</summary>
    public static byte[] BytesOf(torch.Tensor tensor)
    {
        using torch.Tensor host = tensor.cpu();
        return host.bytes.ToArray();
    }

    private static CudaEngine Engine() => new(static () => CudaBackend.System, new StagingLimits(64 << 10, 4));
}
