using System.Runtime.CompilerServices;
using TorchSharp;
using TypedWeights;

namespace TorchNativeProbe;

/// <summary>What a user writes who knows nothing of native parts: the first use of TorchSharp is beside a type of the library.</summary>
internal static class TypedWeightsWork
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Run()
    {
        var options = new LoadOptions { Device = torch.CPU };
        return options.Device.ToString();
    }
}
