using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

public sealed class NativeLoaderTests : IDisposable
{
    private readonly TempFolder _temp;

    public NativeLoaderTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The messages are those of Linux's loader.");
        _temp = new TempFolder();
    }

    [Fact]
    public void A_missing_dependency_of_a_library_is_an_error_that_names_both()
    {
        // libtorch.so refers to libtorch_cpu.so, which this copy calls by the name of a library that nobody has.
        byte[] bytes = ElfBytes.Replace(File.ReadAllBytes(TorchFiles.Torch), "libtorch_cpu.so", "libtorch_zzz.so");
        File.WriteAllBytes(_temp["libtorch_cpu.so"], bytes);

        var e = Assert.Throws<TorchNativeException>(() => NativeLoader.Load(_temp["libtorch_cpu.so"]));

        Assert.Equal("libtorch_cpu.so", e.Library);
        Assert.StartsWith(
            $"{_temp["libtorch_cpu.so"]} cannot be loaded: libtorch_zzz.so: cannot open shared object file",
            e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_for_another_processor_is_an_error_that_names_both_architectures()
    {
        byte[] bytes = File.ReadAllBytes(TorchFiles.Torch);
        (bytes[18], string name) = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            == System.Runtime.InteropServices.Architecture.X64 ? ((byte)183, "Arm64") : ((byte)62, "X64");
        File.WriteAllBytes(_temp["libtorch.so"], bytes);

        var e = Assert.Throws<TorchNativeException>(() => NativeLoader.Load(_temp["libtorch.so"]));

        Assert.Contains($"is built for {name}, but this process is", e.Message, StringComparison.Ordinal);
        Assert.Contains("libtorch-cpu-linux-x64", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_library_is_an_error_with_the_message_of_the_system_loader()
    {
        File.WriteAllText(_temp["libtorch.so"], "not a library");
        var e = Assert.Throws<TorchNativeException>(() => NativeLoader.Load(_temp["libtorch.so"]));
        Assert.Contains("libtorch.so cannot be loaded: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("file too short", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_CUDA_build_is_loaded_through_torch_cuda()
    {
        File.CreateSymbolicLink(_temp["libtorch_cpu.so"], Path.Combine(TorchFiles.Folder, "libtorch_cpu.so"));
        File.WriteAllText(_temp["libtorch_cuda.so"], "not a library");

        var e = Assert.Throws<TorchNativeException>(() => NativeLoader.TryLoadLibtorch(new NativeHost { Folders = () => [_temp.Path] }));

        Assert.Equal("libtorch_cuda.so", e.Library);
    }

    public void Dispose() => _temp.Dispose();
}
