using TypedWeights.Tests.Support;

namespace TypedWeights.Tests.Commands;

/// <summary>Command lines that are wrong whatever lies on the disk.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("DEST", "download", "m.safetensors", "")]
    [InlineData("--output", "snapshot", "m.safetensors", "-o", "")]
    [InlineData("FILE|DIR", "verify", "")]
    [InlineData("--folder", "cache", "clear", "--folder", "")]
    public async Task An_empty_path_is_not_the_current_folder(string name, params string[] args)
    {
        // Not in the folder of the command: nothing is to be there afterwards.
        using var below = new TempFolder();
        TestFile.Write(below["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        args = [.. args.Select(arg => arg == "m.safetensors" ? below[arg] : arg)];

        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.StartsWith($"error: {name} is empty; write '.' for the current folder.\ntry: typedweights ", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("download", "", "net.safetensors")]
    [InlineData("plan", "")]
    [InlineData("bench", "")]
    [InlineData("snapshot", "")]
    public async Task An_empty_URI_is_refused(params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((64, "", "error: The URI of the weights is empty.\n"), (run.ExitCode, run.Out, run.Error));
    }

    [Theory]
    [InlineData("typedweights", "nope")]
    [InlineData("typedweights plan", "plan", "m.safetensors", "--limit")]
    [InlineData("typedweights cache prune", "cache", "prune", "--siez", "2")]
    [InlineData("typedweights cache ls", "cache", "ls", "--all")]
    public async Task A_command_line_error_names_the_help_command_to_try(string command, params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.EndsWith($"\ntry: {command} --help\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect", "insepct", "m.safetensors")]
    [InlineData("verify", "VERIFY")]
    [InlineData("download", "downlaod", "https://user:password@host/m.safetensors", "m.safetensors")]
    [InlineData("prune", "cache", "prnue", "--size", "2")]
    [InlineData("--size", "cache", "prune", "--sise", "2")]
    [InlineData("--folder", "cache", "ls", "--fodler", "x")]
    [InlineData("--sha256", "download", "--sha265", "m.safetensors", ".")]
    [InlineData("--digest", "snapshot", "--digset")]
    public async Task The_error_of_a_mistyped_command_or_option_suggests_the_right_spelling(string meant, params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.Contains($"; did you mean {meant}?", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("password", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'inspect'; write the command before '--'", "--", "inspect", "m.safetensors")]
    [InlineData("'prune'; write the command before '--'", "cache", "--", "prune")]
    [InlineData("'--json'; write an option after its command: typedweights inspect --json", "--json", "inspect", "m.safetensors")]
    [InlineData("'--sha256'; write an option after its command: typedweights download --sha256", "--sha256", "download", "m.safetensors", ".")]
    public async Task The_error_of_a_misplaced_word_explains_where_the_word_belongs(string advice, params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((64, ""), (run.ExitCode, run.Out));
        Assert.Contains(advice, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("did you mean", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nope")]
    [InlineData("plan", "m.safetensors", "another.safetensors")]
    [InlineData("cache", "ls", "--zzzzzz")]
    public async Task A_word_that_resembles_no_command_or_option_gets_no_suggestion(params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal(64, run.ExitCode);
        Assert.DoesNotContain("did you mean", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect", "[suggest:3]", "ins")]
    [InlineData("inspect", "[suggest:16]", "typedweights ins")]
    [InlineData("prune,verify", "[suggest:20]", "typedweights cache r")]
    [InlineData("--quiet,--sha256", "[suggest]", "typedweights download --")]
    [InlineData("cuda", "[suggest:99]", "typedweights plan --device cu")]
    [InlineData("snapshot,verify", "[suggest:0]", "")]
    public async Task Shell_completion_lists_the_words_that_fit(string words, params string[] args)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, args);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All(words.Split(','), word => Assert.Contains(word, run.OutLines));
    }

    [Fact]
    public async Task A_path_after_two_dashes_may_begin_with_a_dash()
    {
        TestFile.Write(_folder["-m.safetensors"], [TestFile.F32("a", [1], 1)]);

        ToolRun inspected = await ToolRun.InAsync(_folder.Path, "inspect", "--json", "--", "-m.safetensors");
        ToolRun downloaded = await ToolRun.InAsync(_folder.Path, "download", "--", "-m.safetensors", "--quiet");
        ToolRun refused = await ToolRun.InAsync(_folder.Path, "inspect", "-m.safetensors");

        Assert.Equal((0, ""), (inspected.ExitCode, inspected.Error));
        Assert.Equal(0, downloaded.ExitCode);
        Assert.True(File.Exists(_folder["--quiet"]));
        Assert.Equal(64, refused.ExitCode);
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("inspect")]
    [InlineData("plan")]
    [InlineData("download")]
    [InlineData("bench")]
    public async Task Help_names_every_scheme_that_the_tool_reads(string command)
    {
        ToolRun unknown = await ToolRun.InAsync(_folder.Path, "plan", "gopher://host/m.safetensors");
        ToolRun help = await ToolRun.InAsync(_folder.Path, command, "--help");

        string[] schemes = [.. unknown.Error.Split("this tool reads ")[1].Split(';')[0].Split(", ")];
        Assert.Contains("s3", schemes);
        Assert.Equal(schemes, help.Out.Split("<URI>")[^1].Split([' ', ',', ';', '\n'])
            .Where(word => word.EndsWith("://", StringComparison.Ordinal)).Select(word => word[..^3]));
    }

    [Theory]
    [InlineData("tpu")]
    [InlineData("CUDA")]
    [InlineData("")]
    public async Task The_error_of_an_unknown_device_names_the_allowed_devices(string device)
    {
        ToolRun run = await ToolRun.InAsync(_folder.Path, "plan", "--device", device, "m.safetensors");

        Assert.Equal(
            (64, "", $"error: --device must be cpu or cuda, but is \"{device}\".\ntry: typedweights plan --help\n"),
            (run.ExitCode, run.Out, run.Error));
    }
}
