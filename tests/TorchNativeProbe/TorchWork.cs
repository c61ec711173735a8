using System.Globalization;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace TorchNativeProbe;

/// <summary>A little of what only works with a whole native part: float, bfloat16 and fp8 arithmetic.</summary>
internal static class TorchWork
{
    // By its number in libtorch: TorchSharp has no name for it.
    private const torch.ScalarType Float8 = (torch.ScalarType)24;

    // Not inlined, so that nothing of TorchSharp is touched before the caller gets here.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Run()
    {
        using torch.Tensor ones = torch.ones(2, 3);
        using torch.Tensor product = ones.matmul(ones.t());
        using torch.Tensor half = torch.full([4], 1.5f, torch.ScalarType.BFloat16);
        using torch.Tensor sum = half.sum().to(torch.ScalarType.Float32);
        using torch.Tensor eighth = torch.full([1], 1.125f).to(Float8).to(torch.ScalarType.Float32);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"f32 {product.sum().item<float>()} bf16 {sum.item<float>()} f8 {eighth.item<float>()}");
    }

    /// <summary>Whether TorchSharp works without anyone's help.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Try()
    {
        try
        {
            _ = Run();
            return "works";
        }
        catch (TypeInitializationException)
        {
            return "fails";
        }
    }
}
