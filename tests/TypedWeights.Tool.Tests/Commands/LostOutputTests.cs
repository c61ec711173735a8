using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>The tool as a process whose output goes to a full disk or is closed.</summary>
public sealed class LostOutputTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    public async Task Errors_that_cannot_be_written_do_not_change_the_exit_code(string redirection)
    {
        ToolRun absent = await ToolRun.RedirectedAsync(_folder.Path, redirection, "plan", "nope");
        ToolRun wrong = await ToolRun.RedirectedAsync(_folder.Path, redirection, "nope");

        Assert.Equal((2, ""), (absent.ExitCode, absent.All));
        Assert.Equal((64, ""), (wrong.ExitCode, wrong.All));
    }

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    public async Task A_download_succeeds_although_its_progress_cannot_be_written(string redirection)
    {
        byte[] model = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]);
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/net.safetensors"] = model;
        int asked = 0;

        // A retry is told of in the middle of the transfer.
        server.Intercept = context =>
        {
            bool isBusy = Interlocked.Increment(ref asked) == 3;
            context.Response.StatusCode = isBusy ? 503 : 200;
            return Task.FromResult(isBusy);
        };

        ToolRun run = await ToolRun.RedirectedAsync(
            _folder.Path, redirection, "download", $"{server.Address}/net.safetensors", "net.safetensors");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.InRange(asked, 4, int.MaxValue);
        Assert.Equal(model, File.ReadAllBytes(_folder["net.safetensors"]));
        Assert.Equal([_folder["net.safetensors"]], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(">/dev/full", "inspect", "m.safetensors")]
    [InlineData(">/dev/full", "[suggest]", "typedweights ")]
    [InlineData(">/dev/full", "--help")]
    [InlineData(">/dev/full", "--version")]
    [InlineData(">&-", "inspect", "m.safetensors")]
    [InlineData(">&-", "inspect", "m.safetensors", "--json")]
    [InlineData(">&-", "bench", "m.safetensors")]
    [InlineData(">&-", "download", "m.safetensors", "copy.safetensors", "--sha256", "--quiet")]
    [InlineData(">&-", "--help")]
    public async Task Results_that_cannot_be_written_are_reported_as_an_output_error(string redirection, params string[] args)
    {
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);

        ToolRun run = await ToolRun.RedirectedAsync(_folder.Path, redirection, args);

        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Matches("^error: the output cannot be written: [^\n]+\n$", run.Error);
        Assert.DoesNotContain("Access", run.Error, Ordinal);
    }
}
