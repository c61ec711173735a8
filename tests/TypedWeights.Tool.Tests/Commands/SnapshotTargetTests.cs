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
}
