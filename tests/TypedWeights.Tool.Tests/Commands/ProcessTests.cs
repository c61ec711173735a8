using System.Diagnostics;
using System.Globalization;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>The tool as a process of its own: what only the real console and real signals show.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Snapshot_verify_and_inspect_work_from_a_folder()
    {
        TestFile.Write(_folder["größe.safetensors"], [TestFile.F32("重み", [1], 1)]);

        ToolRun snapshot = await ToolRun.ProcessAsync(_folder.Path, null, "snapshot", "größe.safetensors");
        ToolRun verify = await ToolRun.ProcessAsync(_folder.Path, null, "verify");
        ToolRun inspect = await ToolRun.ProcessAsync(_folder.Path, null, "inspect", "größe.safetensors", "absent");

        Assert.Equal((0, ""), (snapshot.ExitCode, snapshot.Error));
        Assert.StartsWith("wrote weights/Größe.weights.json: 1 tensor, ", snapshot.Out, Ordinal);
        Assert.Equal((0, ""), (verify.ExitCode, verify.Error));
        Assert.Equal(1, inspect.ExitCode);
        Assert.Contains("重み", inspect.Out, Ordinal);
        Assert.DoesNotContain('\u001b', inspect.Out);
        Assert.StartsWith("error: absent: there is no such file or folder", inspect.Error, Ordinal);
    }

    [Fact]
    public async Task Help_and_version_show_the_name_of_the_command_and_not_of_the_host()
    {
        ToolRun help = await ToolRun.ProcessAsync(_folder.Path, null, "--help");
        ToolRun version = await ToolRun.ProcessAsync(_folder.Path, null, "--version");
        ToolRun wrong = await ToolRun.ProcessAsync(_folder.Path, null, "verify", "--ofline");

        Assert.Equal(0, help.ExitCode);
        Assert.Contains("typedweights [command] [options]", help.Out, Ordinal);
        Assert.All((string[])["snapshot", "verify", "inspect"], command => Assert.Contains(command, help.Out, Ordinal));
        Assert.Matches(@"^typedweights \d+\.\d+\.\d+", version.Out);
        Assert.Equal(64, wrong.ExitCode);
        Assert.Contains("try: typedweights verify --help", wrong.Error, Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_ends_a_waiting_command_with_its_own_code_and_writes_nothing(string signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no kill on Windows");
        var asked = new TaskCompletionSource();
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };

        ToolRun run = await ToolRun.ProcessAsync(_folder.Path, InterruptAsync, "snapshot", $"{server.Address}/net.safetensors");

        Assert.Equal((code, "", "interrupted\n"), (run.ExitCode, run.Out, run.Error));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));

        async Task InterruptAsync(Process process)
        {
            await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
            string id = process.Id.ToString(CultureInfo.InvariantCulture);
            using Process kill = Process.Start("kill", [$"-{signal}", id]);
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void The_tool_does_not_depend_on_a_tensor_library() => Assert.DoesNotContain(
        "torch", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "TypedWeights.Tool.deps.json")), StringComparison.OrdinalIgnoreCase);
}
