using System.Text.Json;
using TypedWeights.Sources;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Measuring;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class BenchCommandTests : ServerTest
{
    private const int DataLength = 20_000_000;

    private static readonly byte[] Model = TestFile.Bytes([TestFile.Noise("a", "U8", 8, DataLength - 1000), TestFile.Noise("b", "U8", 8, 1000)]);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Server.Files["/net.safetensors"] = Model;
    }

    [Fact]
    public async Task Bench_writes_one_line_of_JSON_with_the_documented_members_in_order()
    {
        ToolRun run = await ToolRun.InAsync(Folder.Path, "bench", $"{Server.Address}/net.safetensors", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement json = JsonElement.Parse(Assert.Single(run.OutLines));
        Assert.Equal(
            ["bytes", "seconds", "gbPerSecond", "requests", "retries", "peakRssBytes", "allocatedBytes", "cpuSeconds"],
            json.EnumerateObject().Select(member => member.Name));
        Assert.Equal(DataLength, json.GetProperty("bytes").GetInt64());
        Assert.True(json.GetProperty("requests").GetInt64() >= Server.Requests.Count);
        Assert.Equal(0, json.GetProperty("retries").GetInt64());
        Assert.True(json.GetProperty("peakRssBytes").GetInt64() > DataLength);
        Assert.InRange(json.GetProperty("allocatedBytes").GetInt64(), 1, 1L << 30);
        double seconds = json.GetProperty("seconds").GetDouble();
        Assert.InRange(json.GetProperty("gbPerSecond").GetDouble() * seconds, DataLength / 1e9 * 0.99, DataLength / 1e9 * 1.01);
        Assert.True(json.GetProperty("cpuSeconds").GetDouble() > 0);
    }

    [Fact]
    public async Task Bench_requests_every_byte_of_data_once_and_counts_every_request()
    {
        var options = new TransferOptions { MaxConnections = 16 };
        var context = new ToolContext(TextWriter.Null, TextWriter.Null, Folder.Path, Terminal.Redirected);
        await using var sources = new ToolSources(context, options);

        BenchResult result = await BenchRun.RunAsync(
            sources,
            WeightUri.Parse($"{Server.Address}/net.safetensors"),
            new TransferOverrides(Gap: null, Part: 1 << 20, Connections: 3),
            ProgressView.Create(context, quiet: true),
            TestContext.Current.CancellationToken);

        (long Offset, long Length)[] asked =
            [.. Server.Requests.Select(request => Ranges.Of(request.Range!)).Where(range => range.Offset >= Model.Length - DataLength).Order()];
        Assert.True(asked.Length >= DataLength >> 20);
        long at = Model.Length - DataLength;
        foreach ((long offset, long length) in asked)
        {
            Assert.Equal(at, offset);
            Assert.InRange(length, 1, 1 << 20);
            at += length;
        }

        Assert.Equal((Model.Length, DataLength), (at, result.Bytes));
        Assert.Equal((Server.Requests.Count, 0), (result.Requests, result.Retries));
    }

    [Fact]
    public async Task Bench_uses_the_number_of_connections_that_the_option_gives()
    {
        const int Wanted = 5;
        int inUse = 0;
        int most = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Intercept = async context =>
        {
            if (Ranges.Of(context.Request.Headers.Range!).Length < 1000)
            {
                return false;
            }

            // Nobody is answered until all have asked; one more than wanted would be seen, as it would ask meanwhile.
            int now = Interlocked.Increment(ref inUse);
            most = Math.Max(most, now);
            if (now >= Wanted)
            {
                all.TrySetResult();
            }

            await all.Task.WaitAsync(context.RequestAborted);
            await Task.Delay(20, context.RequestAborted);
            Interlocked.Decrement(ref inUse);
            return false;
        };

        ToolRun run = await ToolRun.InAsync(
            Folder.Path, "bench", $"{Server.Address}/net.safetensors", "--json", "--connections", $"{Wanted}", "--part", "512KiB");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Wanted, most);
    }

    [Fact]
    public async Task Bench_reads_local_files_in_ranges_and_prints_the_result_as_text()
    {
        await File.WriteAllBytesAsync(Folder["net.safetensors"], Model, TestContext.Current.CancellationToken);

        ToolRun json = await ToolRun.InAsync(Folder.Path, "bench", "net.safetensors", "--json", "--part", "1MiB", "--connections", "1");
        ToolRun page = await ToolRun.InAsync(Folder.Path, "bench", Folder.Path, "--quiet");

        Assert.InRange(JsonElement.Parse(json.Out).GetProperty("requests").GetInt64(), 20, 40);
        Assert.Equal((0, ""), (page.ExitCode, page.Error));
        Assert.Equal(Folder.Path.Replace('\\', '/'), page.OutLines[0]);
        Assert.Matches(@"^20\.0 MB in \d+\.\d{3} s: [\d.]+ [kMG]B/s$", page.OutLines[1]);
        Assert.Matches(@"^  requests      \d+ \(0 retries\)$", page.OutLines[2]);
    }

    [Theory]
    [InlineData("--connections must be from 1 to 1024", "--connections", "0")]
    [InlineData("--connections must be from 1 to 1024", "--connections", "1025")]
    [InlineData("--connections must be from 1 to 1024", "--connections", "x")]
    [InlineData("--part must be from 65536 to 1073741824 bytes", "--part", "1")]
    public async Task Bench_refuses_options_with_values_out_of_range(string says, params string[] options)
    {
        ToolRun run = await ToolRun.InAsync(Folder.Path, ["bench", "net.safetensors", .. options]);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.Contains(says, run.Error, Ordinal);
    }

    [Fact]
    public async Task Bench_sends_no_requests_for_a_checkpoint_without_data()
    {
        await File.WriteAllBytesAsync(
            Folder["net.safetensors"], TestFile.Bytes([new("a", "U8", [0], [])]), TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "bench", "net.safetensors", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("{\"bytes\":0,\"seconds\":0", run.Out, Ordinal);
        Assert.Contains("\"gbPerSecond\":0,\"requests\":0,", run.Out, Ordinal);
    }
}
