using TypedWeights.Elf;
using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

/// <summary>Whole programs: what the module initializer does before anything else of the process has touched TorchSharp.</summary>
public sealed class TorchNativeProcessTests : IDisposable
{
    private const string Computed = "f32 12 bf16 6 f8 1.125";

    private readonly TempFolder _temp = new();

    [Fact]
    public async Task TorchSharp_works_in_a_program_that_only_uses_a_type_of_the_library()
    {
        Probe.Result result = await Probe.RunAsync("initializer", Cache());

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("cpu", result["device"]);
        Assert.Equal(Computed, result["torch"]);
        if (!TorchNativeTests.IsNeeded)
        {
            Assert.Equal("NotNeeded", result["status"]);
            Assert.False(Directory.Exists(_temp["cache"]));
            return;
        }

        Assert.Equal("Patched", result["status"]);
        Assert.StartsWith(_temp["cache/typedweights/native/"], result["library"], StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")));
    }

    [Fact]
    public async Task Processes_that_start_together_share_one_whole_patched_copy()
    {
        Probe.Result[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Probe.RunAsync("initializer", Cache())));

        Assert.All(results, r => Assert.Equal(Computed, r["torch"]));
        if (!TorchNativeTests.IsNeeded)
        {
            Assert.All(results, r => Assert.Equal("NotNeeded", r["status"]));
            return;
        }

        string path = Assert.Single(results.Select(r => r["library"]!).Distinct());
        Assert.Equal(WeakVersionPatch.Apply(File.ReadAllBytes(TorchFiles.TorchSharp)), File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_temp["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task With_the_fix_switched_off_no_copy_is_made_and_the_error_of_the_loader_is_shown()
    {
        Dictionary<string, string> environment = Cache();
        environment["TYPEDWEIGHTS_TORCH_NATIVE"] = "off";

        Probe.Result result = await Probe.RunAsync("ensure", environment);

        Assert.Equal("SwitchedOff", result["status"]);
        Assert.False(Directory.Exists(_temp["cache"]));
        if (TorchNativeTests.IsNeeded)
        {
            Assert.Equal(1, result.ExitCode);
            Assert.StartsWith("libLibTorchSharp.so: ", result["error"], StringComparison.Ordinal);
            Assert.Contains("version `GLIBCXX_3.4.32' not found", result["error"], StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(Computed, result["torch"]);
        }
    }

    [Theory]
    [InlineData("file", "a file is in the way")]
    [InlineData("open", "the folder is open to others")]
    public async Task The_patched_copy_is_made_in_the_temporary_folder_when_the_cache_is_unusable(string cache, string why)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The copy is made on Linux only.");
        SpoilCaches();

        Probe.Result result = await Probe.RunAsync("ensure", Cache(cache));

        Assert.True(result["torch"] == Computed, why);
        if (TorchNativeTests.IsNeeded)
        {
            Assert.StartsWith(_temp["temp/typedweights-"], result["library"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_a_usable_folder_for_the_patched_copy_the_error_names_each_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The copy is made on Linux only.");
        SpoilCaches();
        Dictionary<string, string> environment = Cache("open");
        environment["TMPDIR"] = _temp["file"];

        Probe.Result result = await Probe.RunAsync("ensure", environment);

        if (!TorchNativeTests.IsNeeded)
        {
            Assert.Equal(("NotNeeded", Computed), (result["status"], result["torch"]));
            return;
        }

        Assert.Equal((1, "Failed"), (result.ExitCode, result["status"]));
        Assert.Contains(_temp["open/typedweights"], result["error"], StringComparison.Ordinal);
        Assert.Contains(_temp["file"], result["error"], StringComparison.Ordinal);
        Assert.Contains("Set XDG_CACHE_HOME", result["error"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_libtorch_no_copy_is_made_and_the_error_names_the_packages(bool withTorchSharp)
    {
        string app = Probe.CopyWithoutNative(_temp);
        if (withTorchSharp)
        {
            File.Copy(TorchFiles.TorchSharp, Path.Combine(app, NativeNames.TorchSharp));
        }

        Probe.Result state = await Probe.RunAsync("state", Cache(), app);
        Assert.Equal(0, state.ExitCode);
        Assert.Equal(TorchNativeTests.IsNeeded ? "NoBackend" : "NotNeeded", state["status"]);
        Assert.Equal("absent", state["libtorch"]);
        Assert.False(Directory.Exists(_temp["cache"]));

        Probe.Result ensure = await Probe.RunAsync("ensure", Cache(), app);
        Assert.Equal(1, ensure.ExitCode);
        Assert.All(
            (string[])["TorchSharp-cpu", "libtorch-cpu-linux-x64", "TorchSharp-cuda-linux"],
            package => Assert.Contains(package, ensure["error"], StringComparison.Ordinal));
        Assert.DoesNotContain("Trace from LoadNativeBackend", ensure.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Native_libraries_beside_the_application_are_found()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The links are to Linux libraries.");
        string app = Probe.CopyWithoutNative(_temp);
        foreach (string file in Directory.GetFiles(TorchFiles.Folder))
        {
            File.CreateSymbolicLink(Path.Combine(app, Path.GetFileName(file)), file);
        }

        Probe.Result result = await Probe.RunAsync("initializer", Cache(), app);

        Assert.Equal(Computed, result["torch"]);
        Assert.Equal(TorchNativeTests.IsNeeded ? "Patched" : "NotNeeded", result["status"]);
    }

    [Fact]
    public async Task Using_TorchSharp_before_the_library_is_an_error_that_says_what_to_call_first()
    {
        // TorchSharp then gets as far as copying libtorch beside itself: let it find nothing to copy.
        Dictionary<string, string> environment = Cache();
        environment["NUGET_PACKAGES"] = _temp["none"];

        Probe.Result result = await Probe.RunAsync("late", environment);

        if (!TorchNativeTests.IsNeeded)
        {
            Assert.Equal(("works", Computed), (result["early"], result["torch"]));
            return;
        }

        Assert.Equal((1, "fails"), (result.ExitCode, result["early"]));
        Assert.Contains("Call TorchNative.EnsureLoaded() first in Main", result["error"], StringComparison.Ordinal);
    }

    public void Dispose() => _temp.Dispose();

    // One place is a file, the other lets everybody in.
    private void SpoilCaches()
    {
        File.WriteAllText(_temp["file"], "");
        Directory.CreateDirectory(_temp["open/typedweights"]);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_temp["open/typedweights"], (UnixFileMode)0x1ff);
        }
    }

    private Dictionary<string, string> Cache(string name = "cache") => new()
    {
        ["XDG_CACHE_HOME"] = _temp[name],
        ["TMPDIR"] = Directory.CreateDirectory(_temp["temp"]).FullName,
    };
}
