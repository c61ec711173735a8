namespace TypedWeights.Tests.Commands;

public sealed class SnapshotTargetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_device_is_not_replaced_by_a_snapshot()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no device files on Windows");
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);

        // A link to it, so that a tool that gets this wrong harms nothing.
        File.CreateSymbolicLink(_folder["null.weights.json"], "/dev/null");
        Support.ToolRun run = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "m.safetensors", "-o", "null.weights.json");

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("is a pipe or device", run.Error, StringComparison.Ordinal);
        Assert.Equal("/dev/null", new FileInfo(_folder["null.weights.json"]).LinkTarget);
    }
}
