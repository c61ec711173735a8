using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

public sealed class NativeFoldersTests : IDisposable
{
    private readonly TempFolder _temp = new();

    [Fact]
    public void The_native_libraries_are_found_in_the_build_output()
    {
        var host = new NativeHost();
        Assert.Equal(TorchFiles.TorchSharp, host.Find(NativeNames.TorchSharp));
        Assert.Equal(TorchFiles.Torch, host.Find(NativeNames.Torch));
        Assert.Null(host.Find("libno-such-library.so"));
    }

    [Fact]
    public void The_folders_of_the_native_packages_are_searched_when_TorchSharp_runs_from_its_package()
    {
        string package = _temp["packages/torchsharp/0.107.0"];
        Directory.CreateDirectory(Path.Combine(package, "runtimes/linux-x64/native"));

        string[] folders = [.. NativeFolders.PackageFolders(Path.Combine(package, "lib/net8.0"))];

        Assert.Equal(
            [
                _temp["packages/torchsharp/0.107.0/runtimes/linux-x64/native"],
                _temp["packages/libtorch-cpu-linux-x64/2.10.0/runtimes/linux-x64/native"],
            ],
            folders);
    }

    [Theory]
    [InlineData("app")]
    [InlineData("packages/torchsharp/0.107.0/lib/net8.0")]
    [InlineData("torchsharp")]
    public void No_package_folder_is_searched_when_TorchSharp_does_not_run_from_a_package(string beside) =>
        Assert.Empty(NativeFolders.PackageFolders(_temp[beside]));

    public void Dispose() => _temp.Dispose();
}
