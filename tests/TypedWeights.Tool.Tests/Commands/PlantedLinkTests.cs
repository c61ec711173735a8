using System.Diagnostics;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>In a folder like /tmp, another user's links do not choose where this user's files are replaced.</summary>
public sealed class PlantedLinkTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("snapshot model.safetensors -o shared/out/a.weights.json")]
    [InlineData("snapshot model.safetensors -o shared/out/")]
    [InlineData("download model.safetensors shared/out")]
    [InlineData("download model.safetensors shared/out/ --force")]
    [InlineData("download model.safetensors shared/out/copy.safetensors")]
    [InlineData("download model.safetensors own/copy.safetensors")]
    [InlineData("download shards shared --force")]
    [InlineData("download shards shared/out --force")]
    public async Task Nothing_is_written_through_a_folder_link_of_another_user(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a link to another user");
        byte[] model = TestFile.Bytes([TestFile.Noise("x", "U8", 8, 100)]);
        Directory.CreateDirectory(_folder["shards/out/deep"]);
        await File.WriteAllBytesAsync(_folder["model.safetensors"], model, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder["shards/out/deep/1.safetensors"], model, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _folder["shards/model.safetensors.index.json"],
            """{"weight_map":{"x":"out/deep/1.safetensors"}}""",
            TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_folder["victim"]);
        Directory.CreateDirectory(_folder["shared"]);
        File.CreateSymbolicLink(_folder["shared/out"], _folder["victim"]);
        File.CreateSymbolicLink(_folder["own"], "shared/out");
        await RunAsync("chown", "-h", "65534:65534", _folder["shared/out"]);
        await RunAsync("chmod", "1777", _folder["shared"]);

        ToolRun run = await ToolRun.InAsync(_folder.Path, command.Split(' '));

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"{_folder["shared/out"]} is a symbolic link of another user (uid 65534)", run.Error, Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["victim"]));
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
