using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Elf;
using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Native;

/// <summary>This very process, on this very system.</summary>
public sealed class TorchNativeTests
{
    private const ScalarType Float8E4M3 = (ScalarType)24;

    public TorchNativeTests() => TorchNative.EnsureLoaded();

    // Asked of the system itself and not through the code under test.
    internal static bool IsNeeded => OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && NativeLibrary.TryLoad("libstdc++.so.6", out nint library)
        && !NativeLibrary.TryGetExport(library, "_ZSt21ios_base_library_initv", out _);

    [Fact]
    public void The_patched_copy_is_loaded_only_where_libstdcxx_is_too_old()
    {
        if (!IsNeeded)
        {
            Assert.StartsWith("NotNeeded: ", TorchNative.State, StringComparison.Ordinal);
            return;
        }

        string copy = Assert.Single(Mapped(Path.GetFileName(TorchFiles.TorchSharp)));
        Assert.StartsWith($"Patched {copy}: ", TorchNative.State, StringComparison.Ordinal);
        Assert.Equal(WeakVersionPatch.Apply(File.ReadAllBytes(TorchFiles.TorchSharp)), File.ReadAllBytes(copy));
    }

    [Fact]
    public void TorchSharp_makes_no_copy_of_its_libraries_beside_the_application()
    {
        using Tensor one = torch.ones(1);
        Assert.Equal(1f, one.item<float>());
        string folder = Path.Combine(AppContext.BaseDirectory, "cpu");
        Assert.False(Directory.Exists(folder), $"{folder} is there: TorchSharp made it, now or when the fix was switched off; delete it");
    }

    [Fact]
    public void Float_matrices_multiply_in_libtorch()
    {
        using Tensor a = torch.arange(6, ScalarType.Float32).reshape(2, 3);
        using Tensor product = a.matmul(a.t());
        Assert.Equal([5f, 14f, 14f, 50f], product.data<float>().ToArray());
    }

    [Fact]
    public void BFloat16_sums_in_libtorch()
    {
        using Tensor a = torch.full([4], 1.5f, ScalarType.BFloat16);
        using Tensor sum = a.sum();
        Assert.Equal(ScalarType.BFloat16, sum.dtype);
        Assert.Equal(6f, sum.to(ScalarType.Float32).item<float>());
    }

    [Fact]
    public void Float8_rounds_to_its_three_mantissa_bits_in_libtorch()
    {
        using Tensor a = torch.tensor(new[] { 1f, 1.125f, 1.2f, -448f });
        using Tensor eighth = a.to(Float8E4M3);
        Assert.Equal(1, eighth.element_size());
        using Tensor back = eighth.to(ScalarType.Float32);
        Assert.Equal([1f, 1.125f, 1.25f, -448f], back.data<float>().ToArray());
    }

    [Fact]
    public async Task The_native_library_may_be_ensured_many_times_at_once()
    {
        string before = TorchNative.State;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(TorchNative.EnsureLoaded)));
        Assert.Equal(before, TorchNative.State);
    }

    [Fact]
    public void The_state_of_the_native_library_prints_as_one_line()
    {
        Assert.Equal("NotNeeded: why", new NativeState(NativeStatus.NotNeeded, "why").ToString());
        Assert.Equal("Patched /a/b.so: why", new NativeState(NativeStatus.Patched, "why", "/a/b.so").ToString());
    }

    private static string[] Mapped(string fileName) => [.. File.ReadLines("/proc/self/maps")
        .Where(line => line.EndsWith('/' + fileName))
        .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
        .Distinct()];
}
