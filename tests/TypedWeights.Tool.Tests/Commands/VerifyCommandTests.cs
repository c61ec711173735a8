using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private static readonly TestFile.Entry A = TestFile.F32("a", [2], 1, 2);
    private static readonly TestFile.Entry B = TestFile.F32("b", [1], 3);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Verify_exits_with_0_if_the_snapshot_matches_its_source()
    {
        await TakeAsync(A, B);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"^weights/Net\.weights\.json: in step with net\.safetensors \(2 tensors, \d+ bytes in 1 file\)\n$", run.Out);
    }

    [Fact]
    public async Task A_folder_named_Weights_with_a_capital_letter_is_used_like_weights()
    {
        Directory.CreateDirectory(_folder["Weights"]);
        await TakeAsync(A, B);
        Assert.True(File.Exists(_folder["Weights/Net.weights.json"]));
        Assert.Single(Directory.GetDirectories(_folder.Path));

        ToolRun agrees = await ToolRun.InAsync(_folder.Path, "verify");
        Assert.Equal((0, ""), (agrees.ExitCode, agrees.Error));

        TestFile.Write(_folder["net.safetensors"], [A]);
        ToolRun drifts = await ToolRun.InAsync(_folder.Path, "verify");
        Assert.Equal(1, drifts.ExitCode);
        await MendAsync(drifts);
        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, "verify")).ExitCode);
    }

    [Fact]
    public async Task Verify_reports_a_snapshot_that_is_a_broken_link_as_a_broken_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "not every user may make links there");
        Directory.CreateDirectory(_folder["weights"]);
        File.CreateSymbolicLink(_folder["weights/Net.weights.json"], "../shared/Net.weights.json");

        foreach (string[] args in (string[][])[["verify"], ["verify", "weights/Net.weights.json"]])
        {
            ToolRun run = await ToolRun.InAsync(_folder.Path, args);
            Assert.Equal(1, run.ExitCode);
            Assert.Contains("Net.weights.json: this is a link whose target is missing: ../shared/Net.weights.json (", run.All, Ordinal);
        }
    }

    [Fact]
    public async Task Verify_exits_with_1_on_drift_and_prints_every_difference_and_a_command_that_repairs_it()
    {
        await TakeAsync(A, B);
        TestFile.Write(_folder["net.safetensors"], [A with { DType = "I32" }, TestFile.F32("c", [1], 3)]);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify", "weights");

        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"^weights/Net\.weights\.json: drift from net\.safetensors \(", run.OutLines[0]);
        Assert.Equal(
            [
                "  drift: a: F32 [2] became I32 [2]",
                "  drift: b: F32 [1] is gone",
                "  drift: c: F32 [1] is new",
                "  to repair it: typedweights snapshot net.safetensors",
            ],
            run.OutLines[1..]);

        await MendAsync(run);
        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, "verify")).ExitCode);
    }

    [Fact]
    public async Task Verify_exits_with_0_and_a_warning_if_only_the_layout_of_the_tensors_differs()
    {
        await TakeAsync(A, B);
        TestFile.Write(_folder["net.safetensors"], [B, A]);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("in step", run.OutLines[0], Ordinal);
        Assert.Equal(
            ["  warning: a: moved, along with 1 more", "  to record it: typedweights snapshot net.safetensors"], run.OutLines[1..]);
    }

    [Fact]
    public async Task Verify_exits_with_2_if_the_source_is_missing_or_has_no_provider()
    {
        await TakeAsync(A, B);
        File.Delete(_folder["net.safetensors"]);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify");

        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: weights/Net.weights.json: net.safetensors: there is no such file or folder in ", run.Error, Ordinal);

        await ReplaceSourceAsync("weights/Net.weights.json", "nobody://bucket/net.safetensors");
        ToolRun unknown = await ToolRun.InAsync(_folder.Path, "verify");

        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("this tool reads az, file, gs, hf, http, https, s3", unknown.Error, Ordinal);
    }

    [Fact]
    public async Task Verify_exits_with_1_if_the_source_is_no_longer_a_checkpoint()
    {
        await TakeAsync(A, B);
        await File.WriteAllTextAsync(
            _folder["net.safetensors"], "version https://git-lfs.github.com/spec/v1\n", TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("LFS", run.Error, Ordinal);
    }

    [Fact]
    public async Task Verify_checks_every_snapshot_and_exits_with_1_if_one_drifts_and_another_is_unreachable()
    {
        await TakeAsync(A, B);
        TestFile.Write(_folder["net.safetensors"], [A]);
        TestFile.Write(_folder["gone.safetensors"], [A]);
        TestFile.Write(_folder["well.safetensors"], [A]);
        await ToolRun.InAsync(_folder.Path, "snapshot", "gone.safetensors");
        await ToolRun.InAsync(_folder.Path, "snapshot", "well.safetensors", "-o", "weights/deeper/Well.weights.json");
        File.Delete(_folder["gone.safetensors"]);

        ToolRun all = await ToolRun.InAsync(_folder.Path, "verify", ".");
        ToolRun two = await ToolRun.InAsync(_folder.Path, "verify", "weights/Gone.weights.json", "weights/deeper/Well.weights.json");

        Assert.Equal(1, all.ExitCode);
        Assert.Contains("gone.safetensors", all.Error, Ordinal);
        Assert.Contains("weights/deeper/Well.weights.json: in step", all.Out, Ordinal);
        Assert.Contains("weights/Net.weights.json: drift", all.Out, Ordinal);
        Assert.Equal(2, two.ExitCode);
    }

    [Fact]
    public async Task Verify_ignores_copies_of_snapshots_in_build_folders()
    {
        await TakeAsync(A, B);
        Directory.CreateDirectory(_folder["obj"]);
        await File.WriteAllTextAsync(_folder["obj/Broken.weights.json"], "{", TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify", ".");

        Assert.Equal(0, run.ExitCode);
        Assert.Single(run.OutLines);
    }

    [Fact]
    public async Task Verify_offline_does_not_access_the_source_and_reports_that()
    {
        await TakeAsync(A, B);
        File.Delete(_folder["net.safetensors"]);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify", "--offline");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"consistent \(2 tensors, \d+ bytes in 1 file; offline: net\.safetensors was not read\)\n$", run.Out);
    }

    [Theory]
    [InlineData("\"end\": 8", "\"end\": 9", "weights/Net.weights.json:10: the tensor \"a\" is F32 [2]")]
    [InlineData("\"source\"", "\"sauce\"", "weights/Net.weights.json:1: the snapshot has no \"source\"")]
    [InlineData("{\n  \"schema\"", "<<<<<<< HEAD\n{\n  \"schema\"", "an unresolved merge conflict")]
    [InlineData("snapshot/1", "snapshot/2", "update TypedWeights")]
    public async Task Verify_exits_with_1_and_names_the_line_if_a_snapshot_contradicts_itself(string text, string other, string expected)
    {
        await TakeAsync(A, B);
        string path = _folder["weights/Net.weights.json"];
        string json = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.Contains(text, json, Ordinal);
        await File.WriteAllTextAsync(path, json.Replace(text, other, Ordinal), TestContext.Current.CancellationToken);

        foreach (string[] args in (string[][])[["verify"], ["verify", "--offline"]])
        {
            ToolRun run = await ToolRun.InAsync(_folder.Path, args);

            Assert.Equal((1, ""), (run.ExitCode, run.Out));
            Assert.Contains(expected, run.Error, Ordinal);
        }
    }

    [Fact]
    public async Task Verify_accepts_a_snapshot_with_a_byte_order_mark_and_CRLF()
    {
        await TakeAsync(A, B);
        string path = _folder["weights/Net.weights.json"];
        string json = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(path, "\uFEFF" + json.ReplaceLineEndings("\r\n"), TestContext.Current.CancellationToken);

        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, "verify")).ExitCode);
    }

    [Fact]
    public async Task Verify_resolves_a_relative_source_from_the_project_folder_of_the_snapshot()
    {
        Directory.CreateDirectory(_folder["src/My App"]);
        TestFile.Write(_folder["src/My App/net.safetensors"], [A, B]);
        await ToolRun.InAsync(_folder["src/My App"], "snapshot", "net.safetensors", "--class", "Special");
        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, "verify", "src")).ExitCode);

        TestFile.Write(_folder["src/My App/net.safetensors"], [A]);
        ToolRun run = await ToolRun.InAsync(_folder.Path, "verify", "src");

        Assert.Equal(1, run.ExitCode);
        string quote = OperatingSystem.IsWindows() ? "\"" : "'";
        Assert.Equal(
            $"  to repair it: cd {quote}src/My App{quote} && typedweights snapshot net.safetensors --class Special", run.OutLines[^1]);
    }

    [Fact]
    public async Task Verify_fails_if_there_is_no_snapshot()
    {
        Directory.CreateDirectory(_folder["weights"]);

        ToolRun empty = await ToolRun.InAsync(_folder.Path, "verify");
        ToolRun absent = await ToolRun.InAsync(_folder.Path, "verify", "Nope.weights.json");

        Assert.Equal((64, 64), (empty.ExitCode, absent.ExitCode));
        Assert.StartsWith("error: weights: no snapshot was found here", empty.Error, Ordinal);
        Assert.StartsWith("error: Nope.weights.json: no snapshot was found here", absent.Error, Ordinal);
    }

    private async Task TakeAsync(params TestFile.Entry[] entries)
    {
        TestFile.Write(_folder["net.safetensors"], entries);
        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, "snapshot", "net.safetensors")).ExitCode);
    }

    // The printed command, taken at its word.
    private async Task MendAsync(ToolRun run)
    {
        string[] words = run.OutLines[^1].Split("typedweights ")[1].Split(' ');
        Assert.Equal(0, (await ToolRun.InAsync(_folder.Path, words)).ExitCode);
    }

    private async Task ReplaceSourceAsync(string name, string source)
    {
        string json = await File.ReadAllTextAsync(_folder[name], TestContext.Current.CancellationToken);
        string edited = json.Replace("\"source\": \"net.safetensors\"", $"\"source\": \"{source}\"", Ordinal);
        await File.WriteAllTextAsync(_folder[name], edited, TestContext.Current.CancellationToken);
    }
}
