using System.Text;
using System.Text.Json;
using TypedWeights.Memory;
using TypedWeights.Snapshots;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Running;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

/// <summary>Runs of the real process under limits of the system.</summary>
public sealed class SystemLimitTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("download m.safetensors copy.safetensors", "copy.safetensors: the file needs 1,000,")]
    [InlineData("snapshot names.safetensors -o names.weights.json", "names.weights.json: the file needs ")]
    public async Task A_file_beyond_the_file_size_limit_of_the_process_is_refused_before_anything_is_written(string arguments, string message)
    {
        TestFile.Write(_folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 1_000_000)]);
        WriteNames("names.safetensors", 3000);
        string[] before = Directory.GetFileSystemEntries(_folder.Path);

        ToolRun run = await ToolRun.LimitedAsync(_folder.Path, "-f 50", [.. arguments.Split(' ')]);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(message, run.Error, Ordinal);
        Assert.Contains("51,200", run.Error.Replace("25,600", "51,200", Ordinal), Ordinal);
        Assert.Contains("ulimit -f", run.Error, Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Output_beyond_the_file_size_limit_of_the_process_is_reported_as_an_output_error()
    {
        WriteNames("names.safetensors", 3000);

        ToolRun run = await ToolRun.LimitedAsync(_folder.Path, "-f 50", "inspect", "--json", "names.safetensors", ">", "out.json");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error: the output cannot be written: standard output: a file would be larger than", run.Error, Ordinal);
    }

    [Theory]
    [InlineData("inspect model")]
    [InlineData("plan model")]
    [InlineData("bench model --quiet")]
    [InlineData("snapshot model --class M")]
    [InlineData("download model/model.safetensors.index.json copy --quiet")]
    public async Task A_model_with_more_shards_than_the_limit_of_open_files_is_read(string arguments)
    {
        // Half of what the runtime needs for itself are the libraries that it opens while it starts.
        WriteShards(300);

        ToolRun run = await ToolRun.LimitedAsync(_folder.Path, "-n 128", [.. arguments.Split(' ')]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        if (arguments.StartsWith("download", Ordinal))
        {
            Assert.Equal(301, Directory.GetFiles(_folder["copy"]).Length);
            Assert.All(
                Directory.GetFiles(_folder["copy"]),
                file => Assert.Equal(File.ReadAllBytes(_folder["model/" + Path.GetFileName(file)]), File.ReadAllBytes(file)));
        }
    }

    [Theory]
    [InlineData(48)]
    [InlineData(127)]
    public async Task A_limit_of_open_files_that_is_too_low_is_reported_in_one_line(int openFiles)
    {
        ToolRun run = await ToolRun.LimitedAsync(_folder.Path, $"-n {openFiles}", "inspect", "https://127.0.0.1:1/m.safetensors");

        Assert.Equal(
            (1, $"error: this process may have {openFiles} files and sockets open at once, and at least 128 are needed; "
                + "raise the limit before the process starts (ulimit -n 1024).\n"),
            (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Running_out_of_memory_is_reported_as_a_lack_of_memory_and_not_as_a_defect()
    {
        WriteNames("names.safetensors", 400_000);

        ToolRun run = await ToolRun.WithVariableAsync(_folder.Path, "DOTNET_GCHeapHardLimit=0x2000000", "inspect", "names.safetensors");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("names.safetensors: the system could not allocate memory for a header of ", run.Error, Ordinal);
        Assert.DoesNotContain("defect", run.Error, Ordinal);
    }

    [Theory]
    [InlineData(60, "verify --offline m.weights.json")]
    [InlineData(240, "verify m.weights.json")]
    [InlineData(240, "snapshot m.safetensors -o m.weights.json")]
    public async Task A_snapshot_beyond_the_memory_of_the_container_is_one_error_with_the_numbers(int megabytes, string arguments)
    {
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        await using (FileStream file = File.Create(_folder["m.weights.json"]))
        {
            file.SetLength(megabytes << 20);
        }

        ToolRun run = await ToolRun.ContainedAsync(_folder.Path, 200 << 20, arguments.Split(' '));

        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Matches("^error: m.weights.json: [^\n]* in all: more than the [0-9,]+ that this container leaves [^\n]*\n$", run.Error);
        Assert.Contains($"a snapshot of {megabytes << 20:N0} bytes was not read", run.Error, Ordinal);
    }

    [Fact]
    public async Task An_index_beyond_the_memory_of_the_container_is_one_error_with_the_numbers()
    {
        await using (FileStream file = File.Create(_folder["model.safetensors.index.json"]))
        {
            file.SetLength(60 << 20);
        }

        ToolRun run = await ToolRun.ContainedAsync(_folder.Path, 200 << 20, "inspect", "model.safetensors.index.json");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("an index of 62,914,560 bytes was not read", run.Error, Ordinal);
    }

    [Fact]
    public async Task An_index_without_a_length_is_abandoned_when_it_exceeds_the_memory_of_the_container()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = async context =>
        {
            byte[] spaces = new byte[1 << 20];
            Array.Fill(spaces, (byte)' ');
            try
            {
                for (int i = 0; i < 200; i++)
                {
                    await context.Response.Body.WriteAsync(spaces, context.RequestAborted);
                }
            }
            catch (OperationCanceledException)
            {
                // The tool has read enough.
            }

            return true;
        };

        ToolRun run = await ToolRun.ContainedAsync(
            _folder.Path, 200 << 20, "inspect", $"{server.Address}/model.safetensors.index.json");

        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Matches("^error: http[^ ]*/model.safetensors.index.json: [^\n]* that this container leaves [^\n]* was not read.\n$", run.Error);
    }

    [Fact]
    public void The_out_of_memory_error_has_the_numbers_of_the_container()
    {
        Assert.Contains(
            "of the 1,000 bytes that /sys/fs/cgroup/memory.max allows, 900 are in use",
            ToolException.OutOfMemory(new ContainerMemory("/sys/fs/cgroup/memory.max", 1000, 900, 0)),
            Ordinal);
        Assert.Matches("this process uses [0-9,]+ bytes", ToolException.OutOfMemory(null));
    }

    [Fact]
    public async Task Inspect_shortens_a_list_of_thousands_of_names_that_no_pattern_can_group()
    {
        TestFile.Write(
            _folder["m.safetensors"], [.. Enumerable.Range(0, 12_000).Select(i => TestFile.F32($"{i}.{i * 7 % 12_000}.{i * 13}", [1], 1))]);

        ToolRun page = await ToolRun.InAsync(_folder.Path, "inspect", "m.safetensors");

        Assert.Equal((0, ""), (page.ExitCode, page.Error));
        Assert.Contains("  … and 10,000 more tensors; --json lists them all", page.OutLines);
        Assert.InRange(page.OutLines.Length, 2_000, 2_050);
    }

    [Fact]
    public async Task A_snapshot_of_20_000_names_is_written_and_verified_and_inspected_completely()
    {
        WriteNames("names.safetensors", 20_000);
        ToolRun first = await ToolRun.InAsync(_folder.Path, "snapshot", "names.safetensors");
        string path = Directory.GetFiles(_folder["weights"]).Single();
        WeightSnapshot snapshot = SnapshotReader.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));

        Assert.Equal((0, 20_000), (first.ExitCode, snapshot.Tensors.Count));
        Assert.Contains("unchanged", (await ToolRun.InAsync(_folder.Path, "snapshot", "names.safetensors")).Out, Ordinal);
        Assert.Contains("in step", (await ToolRun.InAsync(_folder.Path, "verify")).Out, Ordinal);
        ToolRun json = await ToolRun.InAsync(_folder.Path, "inspect", "--json", "names.safetensors");
        Assert.Equal(20_000, JsonElement.Parse(json.Out).GetProperty("tensors").GetArrayLength());
        ToolRun page = await ToolRun.InAsync(_folder.Path, "inspect", "names.safetensors");
        Assert.Contains("  … and 18,000 more tensors; --json lists them all", page.OutLines);
    }

    // Names that no pattern draws together.
    private void WriteNames(string file, int count)
    {
        var json = new StringBuilder("{");
        for (int i = 0; i < count; i++)
        {
            json.Append(i == 0 ? "" : ",").Append($$"""
                "n{{i:x}}x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}
                """);
        }

        byte[] text = Encoding.UTF8.GetBytes(json.Append('}').ToString());
        File.WriteAllBytes(_folder[file], [.. BitConverter.GetBytes((long)text.Length), .. text]);
    }

    private void WriteShards(int count) => TestFile.WriteSharded(
        _folder["model"],
        Enumerable.Range(0, count).ToDictionary(i => $"model-{i:d5}.safetensors", i => new[] { TestFile.F32($"l.{i}.w", [2], i, 1) }));
}
