using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>Servers without ranges or lengths, busy ones, and ones that stop in the middle.</summary>
public sealed class OddServerDownloadTests : DownloadTest
{
    [Fact]
    public async Task A_file_is_downloaded_from_aServer_without_range_support()
    {
        Server.Intercept = async context =>
        {
            await Results.Bytes(Model, "application/octet-stream", enableRangeProcessing: false).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.Equal(Model, Read("net.safetensors"));
    }

    [Theory]
    [InlineData("net.safetensors")]
    [InlineData("vocab.bin")]
    public async Task A_file_is_downloaded_from_aServer_that_sends_no_length_and_supports_no_ranges(string name)
    {
        Server.Intercept = async context =>
        {
            // In chunks, as Kestrel sends what has no length.
            await context.Response.Body.WriteAsync(Model);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/{name}", name, "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.Equal(Model, Read(name));
    }

    [Fact]
    public async Task A_chunked_response_that_ends_before_the_model_does_is_an_error()
    {
        Server.Intercept = async context =>
        {
            await context.Response.Body.WriteAsync(Model.AsMemory(0, Model.Length - 1));
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.NotEqual(0, run.ExitCode);
        Assert.False(File.Exists(Folder["net.safetensors"]));
    }

    [Fact]
    public async Task The_error_of_a_download_from_aServer_that_stops_serving_ranges_does_not_advise_a_download()
    {
        Server.Files["/net.safetensors"] = Model;
        Server.Intercept = async context =>
        {
            if (Ranges.Of(context.Request.Headers.Range!).Length <= 1000)
            {
                return false;
            }

            await Results.Bytes(Model).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("ignores range requests", run.Error, Ordinal);
        Assert.DoesNotContain("download the file", run.Error, Ordinal);
    }

    [Fact]
    public async Task Download_reports_a_busyServer_and_tries_again()
    {
        Server.Files["/net.safetensors"] = Model;
        int payload = 0;
        Server.Intercept = context =>
        {
            bool busy = Ranges.Of(context.Request.Headers.Range!).Length > 1000 && Interlocked.Increment(ref payload) == 1;
            context.Response.StatusCode = busy ? 503 : 200;
            return Task.FromResult(busy);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");
        ToolRun quiet = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.Equal((0, 0, ""), (run.ExitCode, quiet.ExitCode, quiet.All));
        Assert.Matches(@"net\.safetensors: the server .+503.+ Trying again( in (0\.[1-9]|[1-9][\d.]*) s)?\.\n(.+\n)*wrote ", run.Error);
        Assert.Equal(Model, Read("net.safetensors"));
    }

    [Fact]
    public async Task An_empty_file_is_refused_with_and_without_a_length_in_the_response()
    {
        bool isTold = false;
        Server.Intercept = async context =>
        {
            context.Response.ContentLength = isTold ? 0 : null;
            await context.Response.StartAsync();
            return true;
        };

        ToolRun untold = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");
        isTold = true;
        ToolRun told = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.Equal((told.ExitCode, told.All), (untold.ExitCode, untold.All));
        Assert.Contains("an empty file", untold.Error, Ordinal);
        Assert.Empty(Left());
    }
}
