using System.Runtime.InteropServices;
using TypedWeights.Elf;
using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

/// <summary>The decision, on hosts that a test makes up. <see cref="TorchNativeProcessTests"/> sees it act for real.</summary>
public sealed class NativeFixTests : IDisposable
{
    private readonly TempFolder _temp = new();

    [Theory]
    [InlineData(false, Architecture.X64)]
    [InlineData(false, Architecture.Arm64)]
    [InlineData(true, Architecture.Arm64)]
    public void On_Windows_macOS_and_Linux_arm64_the_fix_is_skipped_without_any_check(bool isLinux, Architecture architecture)
    {
        NativeState state = NativeFix.Apply(new NativeHost
        {
            IsLinux = isLinux,
            Architecture = architecture,
            HasCurrentLibstdcxx = () => throw new InvalidOperationException("asked for libstdc++"),
            Folders = () => throw new InvalidOperationException("looked for libraries"),
            CacheRoots = () => throw new InvalidOperationException("looked for a cache"),
        });

        Assert.Equal((NativeStatus.NotNeeded, null), (state.Status, state.LibraryPath));
        Assert.Contains("Linux x64", state.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_newer_libstdcxx_the_fix_is_skipped_without_reading_a_file()
    {
        NativeState state = NativeFix.Apply(new NativeHost
        {
            IsLinux = true,
            Architecture = Architecture.X64,
            IsSwitchedOff = false,
            HasCurrentLibstdcxx = () => true,
            Folders = () => throw new InvalidOperationException("looked for libraries"),
            CacheRoots = () => throw new InvalidOperationException("looked for a cache"),
        });

        Assert.Equal(NativeStatus.NotNeeded, state.Status);
        Assert.Equal("libstdc++ has GLIBCXX_3.4.32", state.Reason);
    }

    [Fact]
    public void A_fix_that_is_switched_off_is_skipped_without_any_check()
    {
        NativeState state = NativeFix.Apply(Old(switchedOff: true));
        Assert.Equal(NativeStatus.SwitchedOff, state.Status);
        Assert.Contains("TYPEDWEIGHTS_TORCH_NATIVE", state.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_native_library_of_TorchSharp_the_state_is_NoBackend()
    {
        NativeState state = NativeFix.Apply(Old());
        Assert.Equal(NativeStatus.NoBackend, state.Status);
        Assert.Contains("libLibTorchSharp.so", state.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_TorchSharp_library_that_does_not_require_the_version_is_not_patched()
    {
        // A later build of it, as it were: the copy is a real library without the hard demand.
        File.WriteAllBytes(_temp[NativeNames.TorchSharp], WeakVersionPatch.Apply(File.ReadAllBytes(TorchFiles.TorchSharp)));

        NativeState state = NativeFix.Apply(Old());

        Assert.Equal(NativeStatus.NotNeeded, state.Status);
        Assert.Contains("does not require GLIBCXX_3.4.32", state.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_library_is_an_error_that_names_it_and_says_what_to_do()
    {
        File.WriteAllBytes(_temp[NativeNames.TorchSharp], File.ReadAllBytes(TorchFiles.TorchSharp)[..5000]);

        var e = Assert.Throws<TorchNativeException>(() => NativeFix.Apply(Old()));

        Assert.Equal(NativeNames.TorchSharp, e.Library);
        Assert.StartsWith(_temp[NativeNames.TorchSharp], e.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Restore or publish the application again.", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _temp.Dispose();

    private NativeHost Old(bool switchedOff = false) => new()
    {
        IsLinux = true,
        Architecture = Architecture.X64,
        IsSwitchedOff = switchedOff,
        HasCurrentLibstdcxx = () => switchedOff ? throw new InvalidOperationException("asked for libstdc++") : false,
        Folders = () => [_temp.Path],
        CacheRoots = () => throw new InvalidOperationException("looked for a cache"),
    };
}
