namespace TypedWeights.Tests.Commands;

public sealed class SnapshotTargetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_device_is_not_replaced_by_a_snapshot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's");
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);

        // Of all that is no file, one that cannot be replaced: a tool that gets this wrong must not harm the machine.
        File.CreateSymbolicLink(_folder["null.weights.json"], "/proc/version");
        Support.ToolRun run = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "m.safetensors", "-o", "null.weights.json");

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("is a pipe or device", run.Error, StringComparison.Ordinal);
        Assert.Equal("/proc/version", new FileInfo(_folder["null.weights.json"]).LinkTarget);
    }

    [Theory]
    [InlineData("{\"mine\": true}")]
    [InlineData("mine")]
    [InlineData("")]
    public async Task A_file_that_is_no_snapshot_is_not_replaced_unless_it_is_named(string mine)
    {
        TestFile.Write(_folder["net.safetensors"], [TestFile.F32("a", [1], 1)]);
        Directory.CreateDirectory(_folder["weights"]);
        await File.WriteAllTextAsync(_folder["weights/Net.weights.json"], mine, TestContext.Current.CancellationToken);

        Support.ToolRun refused = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors");
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("weights/Net.weights.json is there already and is no snapshot", refused.Error, StringComparison.Ordinal);
        Assert.Equal(mine, await File.ReadAllTextAsync(_folder["weights/Net.weights.json"], TestContext.Current.CancellationToken));

        Support.ToolRun named = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors", "-o", "weights/Net.weights.json");
        Assert.Equal(0, named.ExitCode);
    }

    [Fact]
    public async Task A_snapshot_that_a_merge_has_spoiled_is_replaced()
    {
        TestFile.Write(_folder["net.safetensors"], [TestFile.F32("a", [1], 1)]);
        Assert.Equal(0, (await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors")).ExitCode);
        string path = _folder["weights/Net.weights.json"];
        string whole = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(path, "<<<<<<< ours\n" + whole, TestContext.Current.CancellationToken);

        Assert.Equal(0, (await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors")).ExitCode);

        Assert.Equal(whole, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_class_that_is_called_as_a_device_of_Windows_gets_another_name()
    {
        TestFile.Write(_folder["con.safetensors"], [TestFile.F32("a", [1], 1)]);

        Support.ToolRun refused = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "con.safetensors");
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("Con.weights.json is a device on Windows; give the snapshot another class with --class", refused.Error, StringComparison.Ordinal);

        Assert.Equal(0, (await Support.ToolRun.InAsync(_folder.Path, "snapshot", "con.safetensors", "--class", "Conv")).ExitCode);
        Assert.True(File.Exists(_folder["weights/Conv.weights.json"]));
    }
}
