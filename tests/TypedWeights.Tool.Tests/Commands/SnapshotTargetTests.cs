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
    [InlineData(OddFile.Pipe)]
    [InlineData(OddFile.Socket)]
    [InlineData(OddFile.LinkToDevice)]
    public async Task A_snapshot_path_that_is_not_a_regular_file_is_neither_replaced_nor_waited_for(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        OddFile.Make(kind, _folder["m.weights.json"], "");

        Support.ToolRun write = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "m.safetensors", "-o", "m.weights.json");
        Support.ToolRun verify = await Support.ToolRun.InAsync(_folder.Path, "verify", "m.weights.json");

        Assert.Equal(64, write.ExitCode);
        Assert.Contains("m.weights.json: this is a pipe or device", write.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, verify.ExitCode);
        Assert.Contains("m.weights.json: this is a", verify.Error, StringComparison.Ordinal);
        Assert.False(TypedWeights.Files.OwnFile.IsFile(_folder["m.weights.json"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    [Fact]
    public async Task Snapshot_removes_the_temporary_file_of_a_killed_process_even_if_nothing_has_changed()
    {
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        string[] command = ["snapshot", "m.safetensors", "-o", "m.weights.json"];
        Assert.Equal(0, (await Support.ToolRun.InAsync(_folder.Path, command)).ExitCode);
        TypedWeights.Files.ReplacementFile.Create(_folder["m.weights.json"]).Stream.Dispose();
        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);

        Support.ToolRun run = await Support.ToolRun.InAsync(_folder.Path, command);

        Assert.Contains("unchanged", run.Out, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public async Task A_snapshot_can_be_written_again_in_a_folder_below_dev()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"), "there is no /dev/shm");
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("a", [1], 1)]);
        TestFile.Write(_folder["b.safetensors"], [TestFile.F32("b", [1], 1)]);
        string path = $"/dev/shm/{Path.GetRandomFileName()}.weights.json";
        try
        {
            Support.ToolRun first = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--class", "A", "-o", path);
            Support.ToolRun second = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "b.safetensors", "--class", "A", "-o", path);

            Assert.True((first.ExitCode, second.ExitCode) == (0, 0), first.All + second.All);
            Assert.Contains("b.safetensors", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_file_of_another_user_does_not_set_the_permissions_of_the_snapshot_that_replaces_it()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only root can give a file to another user");
            return;
        }

        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        OddFile.OfAnotherUser(_folder["m.weights.json"], "0666");

        Support.ToolRun run = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "m.safetensors", "-o", "m.weights.json");

        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal(File.GetUnixFileMode(_folder["m.safetensors"]), File.GetUnixFileMode(_folder["m.weights.json"]));
    }

    [Fact]
    public async Task A_snapshot_that_is_written_again_keeps_its_permissions()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("a", [1], 1)]);
        TestFile.Write(_folder["b.safetensors"], [TestFile.F32("b", [1], 1)]);
        await Support.ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--class", "A", "-o", "x.weights.json");
        File.SetUnixFileMode(_folder["x.weights.json"], Shared);

        Support.ToolRun run = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "b.safetensors", "--class", "A", "-o", "x.weights.json");

        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal(Shared, File.GetUnixFileMode(_folder["x.weights.json"]));
    }

    [Theory]
    [InlineData("{\"mine\": true}")]
    [InlineData("mine")]
    [InlineData("")]
    public async Task A_file_that_is_not_a_snapshot_is_replaced_only_if_its_path_is_given(string mine)
    {
        TestFile.Write(_folder["net.safetensors"], [TestFile.F32("a", [1], 1)]);
        Directory.CreateDirectory(_folder["weights"]);
        await File.WriteAllTextAsync(_folder["weights/Net.weights.json"], mine, TestContext.Current.CancellationToken);

        Support.ToolRun refused = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors");
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("weights/Net.weights.json exists and is not a snapshot", refused.Error, StringComparison.Ordinal);
        Assert.Equal(mine, await File.ReadAllTextAsync(_folder["weights/Net.weights.json"], TestContext.Current.CancellationToken));

        Support.ToolRun named = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors", "-o", "weights/Net.weights.json");
        Assert.Equal(0, named.ExitCode);
    }

    [Fact]
    public async Task A_snapshot_with_merge_conflict_markers_is_replaced()
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
    public async Task A_class_with_the_name_of_a_Windows_device_needs_another_class_name()
    {
        TestFile.Write(_folder["con.safetensors"], [TestFile.F32("a", [1], 1)]);

        Support.ToolRun refused = await Support.ToolRun.InAsync(_folder.Path, "snapshot", "con.safetensors");
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains(
            "Con.weights.json is the name of a device on Windows; choose another class name with --class", refused.Error, StringComparison.Ordinal);

        Assert.Equal(0, (await Support.ToolRun.InAsync(_folder.Path, "snapshot", "con.safetensors", "--class", "Conv")).ExitCode);
        Assert.True(File.Exists(_folder["weights/Conv.weights.json"]));
    }
}
