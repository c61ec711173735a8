using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TypedWeights.Sources;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Measuring;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class PlanCommandTests : ServerTest
{
    private const int Large = 40_000_000;

    [Fact]
    public async Task Plan_writes_a_line_of_JSON_in_exactly_the_documented_form()
    {
        TestFile.Write(Folder["a.safetensors"], [TestFile.F32("a", [2], 1, 2), TestFile.F32("b", [1], 3), TestFile.F32("none", [0])]);
        long file = new FileInfo(Folder["a.safetensors"]).Length;
        long header = file - 8 - 12;

        ToolRun run = await ToolRun.InAsync(Folder.Path, "plan", "--json", "a.safetensors");

        // The second tensor begins at the next 64 bytes; a header counts with what is made of its entries.
        long buffers = header + (3 * 288);
        Assert.Equal(
            """{"uri":"a.safetensors","requests":1,"openingRequests":0,"ranges":1,"largestRange":12,"bytes":12,"gapBytes":0,"""
            + $"\"fileBytes\":{file},\"tensors\":3,\"files\":1,\"minConnections\":1,\"maxConnections\":1,"
            + $"\"tensorMemoryBytes\":68,\"bufferBytes\":{buffers},\"peakHostBytes\":{68 + buffers},"
            + "\"peakDeviceBytes\":0}\n",
            run.Out);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Plan_for_a_GPU_counts_device_memory_as_its_allocator_rounds_it_and_only_the_ring_on_the_host()
    {
        TestFile.Write(
            Folder["a.safetensors"],
            [TestFile.Noise("large", "U8", 8, 10_500_000), TestFile.Noise("middle", "F16", 16, 1_000_000), TestFile.F32("small", [1], 1)]);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "plan", "--device", "cuda", "--json", "a.safetensors");

        // 10.5 MB to the next 2 MiB, 2 MB in a segment of 20 MiB, 4 bytes in one of 2 MiB; two ranges through 2 MiB buffers.
        Assert.Contains("\"tensorMemoryBytes\":0,", run.Out, StringComparison.Ordinal);
        Assert.Contains($"\"peakDeviceBytes\":{(12L + 20 + 2) << 20}}}", run.Out, StringComparison.Ordinal);
        Assert.Matches("\"peakHostBytes\":1[2-9][0-9]{6},", run.Out);
    }

    [Fact]
    public async Task Plan_prints_the_reads_and_the_memory_of_a_load_from_a_disk()
    {
        TestFile.WriteSharded(Folder["m"], new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.Noise("a", "U8", 8, 10_000_000), TestFile.Noise("b", "U8", 8, 500)],
            ["2.safetensors"] = [TestFile.Noise("c", "U8", 8, 1000)],
        });

        ToolRun all = await ToolRun.InAsync(Folder.Path, "plan", "m");
        ToolRun some = await ToolRun.InAsync(Folder.Path, "plan", "m", "--filter", "b");

        string readers = Environment.ProcessorCount < 3 ? $"{Environment.ProcessorCount} to 3" : "3";
        Assert.Matches(
            $$"""
            ^m
            3 tensors, 10\.0 MB of 10\.0 MB in 2 files
              reads           3 of 5\.00 MB at most
              at once         {{readers}}
              host memory     10\.5 MB: tensors 10\.5 MB, buffers 1\.\d+ kB
              device memory   none
            $
            """.ReplaceLineEndings("\n"),
            all.Out);
        Assert.Equal(
            ["m", "1 of 3 tensors, 500 bytes of 10.0 MB in 1 of 2 files", "  reads           1 of 500 bytes at most", "  at once         1"],
            some.OutLines[..4]);
    }

    [Fact]
    public async Task A_plan_for_a_server_without_ranges_has_one_connection_and_only_the_opening_request()
    {
        byte[] bytes = TestFile.Bytes([TestFile.Noise("a", "U8", 8, Large)]);
        Server.Intercept = async context =>
        {
            context.Response.ContentLength = bytes.Length;
            context.Response.Headers.ETag = "\"whole\"";
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };

        JsonElement plan = await JsonAsync("plan", "--json", $"{Server.Address}/m.safetensors");

        Assert.Equal((1, 1), (plan.GetProperty("minConnections").GetInt32(), plan.GetProperty("maxConnections").GetInt32()));
        Assert.Equal((1, 1), (plan.GetProperty("openingRequests").GetInt64(), plan.GetProperty("requests").GetInt64()));
    }

    [Fact]
    public async Task Plan_predicts_the_requests_of_the_load_and_itself_requests_only_headers()
    {
        byte[] bytes = TestFile.Bytes([TestFile.Noise("a", "U8", 8, Large), TestFile.Noise("b", "U8", 8, 3)]);
        Server.Files["/m.safetensors"] = bytes;
        string uri = $"{Server.Address}/m.safetensors";

        JsonElement plan = await JsonAsync("plan", "--json", uri);
        int opening = Server.Requests.Count;
        long read = Server.Requests.Max(request => LastByte(request.Range!));
        Server.Requests.Clear();
        BenchResult load = await LoadAsync(uri);

        Assert.InRange(read, 0, bytes.Length - Large);
        Assert.Equal(opening, plan.GetProperty("openingRequests").GetInt64());
        Assert.Equal(Large + 3, plan.GetProperty("bytes").GetInt64());
        Assert.Equal((8, 32), (plan.GetProperty("minConnections").GetInt32(), plan.GetProperty("maxConnections").GetInt32()));
        Assert.Equal(load.Requests - load.Retries, plan.GetProperty("requests").GetInt64());
        Assert.Equal(load.Requests, Server.Requests.Count);
    }

    [Fact]
    public async Task Plan_prints_the_requests_and_connections_of_a_load_from_a_server()
    {
        Server.Files["/m.safetensors"] = TestFile.Bytes(
            [TestFile.Noise("a.1", "U8", 8, 1000), TestFile.Noise("b", "U8", 8, 500), TestFile.Noise("a.2", "U8", 8, 1000)]);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "plan", $"{Server.Address}/m.safetensors", "--filter", "a.*");

        Assert.Equal("2 of 3 tensors, 2.00 kB of 2.", run.OutLines[1][..29]);
        Assert.Matches(@"^  requests        \d: \d to open, 1 for tensors of 2\.50 kB at most$", run.OutLines[2]);
        Assert.Equal("  connections     1", run.OutLines[3]);
        Assert.Equal("  gaps            500 bytes between the tensors, read and dropped to save requests", run.OutLines[4]);
    }

    [Fact]
    public async Task The_filter_part_connections_and_gap_options_change_the_plan()
    {
        Server.Files["/m.safetensors"] = TestFile.Bytes(
            [TestFile.Noise("a", "U8", 8, 1_000_000), TestFile.Noise("b", "U8", 8, 500), TestFile.Noise("c", "U8", 8, 1000)]);
        string uri = $"{Server.Address}/m.safetensors";

        JsonElement gap = await JsonAsync("plan", "--json", uri, "--filter", "a", "--filter", "?", "--part", "64KiB", "--connections", "3");
        JsonElement without = await JsonAsync("plan", "--json", uri, "--filter", "a", "--filter", "c", "--gap", "0");
        JsonElement with = await JsonAsync("plan", "--json", uri, "--filter", "a", "--filter", "c", "--gap", "500B");

        Assert.Equal((3, 3), (gap.GetProperty("minConnections").GetInt32(), gap.GetProperty("maxConnections").GetInt32()));
        Assert.InRange(gap.GetProperty("largestRange").GetInt64(), 60_000, 64 << 10);
        Assert.Equal(16, gap.GetProperty("ranges").GetInt32());
        Assert.Equal((0, 2), (without.GetProperty("gapBytes").GetInt64(), without.GetProperty("ranges").GetInt32()));
        Assert.Equal((500, 1), (with.GetProperty("gapBytes").GetInt64(), with.GetProperty("ranges").GetInt32()));
    }

    [Fact]
    public async Task A_plan_for_a_server_that_ignores_ranges_covers_the_whole_file_or_is_refused()
    {
        byte[] bytes = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 1_000_000), TestFile.Noise("b", "U8", 8, 500)]);
        Server.Intercept = async context =>
        {
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
            return true;
        };
        string uri = $"{Server.Address}/m.safetensors";

        JsonElement whole = await JsonAsync("plan", "--json", uri);
        ToolRun part = await ToolRun.InAsync(Folder.Path, "plan", uri, "--filter", "b");

        Assert.Equal(whole.GetProperty("openingRequests").GetInt64(), whole.GetProperty("requests").GetInt64());
        Assert.Equal((2, ""), (part.ExitCode, part.Out));
        Assert.Equal(
            $"error: {uri}: the file can only be read as a whole, as its server ignores range requests or its stream cannot seek, and only "
                + "1 of its 2 tensors are selected. Load all of them, or save the file first and give its path.\n",
            part.Error);
    }

    [Fact]
    public async Task Plan_reports_a_filter_without_a_match_and_a_missing_file()
    {
        TestFile.Write(Folder["a.safetensors"], [TestFile.F32("a", [1], 1), TestFile.F32("b", [1], 1)]);

        ToolRun none = await ToolRun.InAsync(Folder.Path, "plan", "a.safetensors", "--filter", "A", "--json");
        ToolRun absent = await ToolRun.InAsync(Folder.Path, "plan", "absent.safetensors");

        Assert.Equal(
            (1, "", "error: a.safetensors: the filter matches none of the 2 tensors; they are named \"a\", \"b\".\n"),
            (none.ExitCode, none.Out, none.Error));
        Assert.Equal((2, ""), (absent.ExitCode, absent.Out));
    }

    [Theory]
    [InlineData("--connections", "0")]
    [InlineData("--connections", "1025")]
    [InlineData("--connections", "many")]
    [InlineData("--part", "1")]
    [InlineData("--part", "2GiB")]
    [InlineData("--gap", "-1")]
    [InlineData("--gap", "1M")]
    [InlineData("--limit", "1")]
    public async Task Plan_refuses_an_option_with_a_value_out_of_range(string option, string value)
    {
        ToolRun run = await ToolRun.InAsync(Folder.Path, "plan", "a.safetensors", option, value);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.Contains(option, run.Error, Ordinal);
    }

    private static long LastByte(string range) => long.Parse(range.Split('-')[1], CultureInfo.InvariantCulture);

    private async Task<BenchResult> LoadAsync(string uri)
    {
        var context = new ToolContext(TextWriter.Null, TextWriter.Null, Folder.Path, Terminal.Redirected);
        await using var sources = new ToolSources(context);
        return await BenchRun.RunAsync(
            sources, WeightUri.Parse(uri), default, ProgressView.Create(context, quiet: true), TestContext.Current.CancellationToken);
    }

    private async Task<JsonElement> JsonAsync(params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(Folder.Path, args);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return JsonSerializer.Deserialize<JsonElement>(run.Out);
    }
}
