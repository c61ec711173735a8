using System.Text;
using System.Text.Json;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Downloads;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>Names that an index, a listing or a URL chose, and files that have them already.</summary>
public sealed class ForeignNameTests : ServerTest
{
    private const string Index = "model.safetensors.index.json";

    [Theory]
    [InlineData("1.safetensors")]
    [InlineData("below/model-00001-of-00002.safetensors")]
    [InlineData("MODEL.SAFETENSORS")]
    [InlineData("console.safetensors")]
    [InlineData("重み.safetensors")]
    public void Ordinary_names_of_safetensors_files_are_accepted(string name) => Assert.Null(ForeignName.Refuse(name, ForeignName.FileSuffix));

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("safetensors")]
    [InlineData("a.safetensors.bak")]
    [InlineData("a.safetensors.partial")]
    [InlineData("a.safetensors.partial.jsonl")]
    [InlineData("a.safetensors.partial/b.safetensors")]
    [InlineData("below/A.PARTIAL.JSONL/b.safetensors")]
    [InlineData(".typedweights-0123456789abcdef-0.tmp/a.safetensors")]
    [InlineData("a.safetensors.index.json")]
    [InlineData(".safetensors")]
    [InlineData(".bashrc")]
    [InlineData(".hidden.safetensors")]
    [InlineData(".config/a.safetensors")]
    [InlineData("a/.b/c.safetensors")]
    [InlineData("../a.safetensors")]
    [InlineData("a/../../b.safetensors")]
    [InlineData("/etc/a.safetensors")]
    [InlineData("//host/share/a.safetensors")]
    [InlineData(@"\\host\share\a.safetensors")]
    [InlineData("C:/a.safetensors")]
    [InlineData("C:a.safetensors")]
    [InlineData("a.safetensors:stream")]
    [InlineData("nul.safetensors")]
    [InlineData("Aux/a.safetensors")]
    [InlineData("COM1 .safetensors")]
    [InlineData("lpt¹.tar.safetensors")]
    [InlineData("conout$.safetensors")]
    [InlineData("folder./a.safetensors")]
    [InlineData("folder /a.safetensors")]
    [InlineData("a\n.safetensors")]
    [InlineData("a.safetensors ")]
    [InlineData("")]
    public void An_unsafe_name_or_suffix_is_refused(string name) => Assert.NotNull(ForeignName.Refuse(name, ForeignName.FileSuffix));

    [Theory]
    [InlineData("notes.partial")]
    [InlineData("model.safetensors.Partial")]
    [InlineData("model.safetensors.partial.jsonl")]
    public void A_name_of_a_partial_file_or_its_journal_is_refused_for_any_expected_extension(string name) =>
        Assert.Contains("which marks an incomplete download", ForeignName.Refuse(name, suffix: ""), Ordinal);

    [Theory]
    [InlineData(".bashrc", "starts with a dot, which hides it")]
    [InlineData(".ssh/authorized_keys", "starts with a dot, which hides it")]
    [InlineData("notes.txt", "does not end with .safetensors")]
    [InlineData("aux.safetensors", "is the name of a device on Windows")]
    public async Task A_shard_with_a_forbidden_name_is_refused_before_anything_is_written(string name, string reason)
    {
        Serve("x", name);
        Directory.CreateDirectory(Path.GetDirectoryName(Folder["home/" + name])!);
        await File.WriteAllTextAsync(Folder["home/" + name], "mine", TestContext.Current.CancellationToken);

        // Also where the user forces what is there to be replaced: nobody has named this file.
        ToolRun run = await RunAsync("download", $"{Server.Address}/m/{Index}", "home", "--force");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"/m/{Index}: the file \"{name}\" cannot be written, because its name {reason}", run.Error, Ordinal);
        Assert.Equal([name], Names("home"));
        Assert.Equal("mine", Text("home/" + name));
    }

    [Theory]
    [InlineData("a.safetensors", "a.safetensors/b.safetensors", "\"a.safetensors\" is a file and not a folder")]
    [InlineData("A.safetensors", "a.safetensors/b.safetensors", "\"A.safetensors\" is a file and not a folder")]
    [InlineData("a/b.safetensors", "a/b.safetensors/c/d.safetensors", "\"a/b.safetensors\" is a file and not a folder")]
    [InlineData("a.safetensors", Index + "/b.safetensors", $"\"{Index}\" is a file and not a folder")]
    [InlineData("a.safetensors", "a.safetensors.partial/b.safetensors", "its name ends with .partial or .partial.jsonl")]
    [InlineData("a.safetensors", "a.safetensors.partial.jsonl/b.safetensors", "its name ends with .partial or .partial.jsonl")]
    public async Task A_shard_that_needs_the_name_of_another_file_as_its_folder_is_refused_before_any_folder_is_made(
        string first, string second, string reason)
    {
        Server.Files["/m/" + first] = TestFile.Bytes([TestFile.Noise("x", "U8", 8, 20_000)]);
        Server.Files["/m/" + second] = TestFile.Bytes([TestFile.Noise("y", "U8", 8, 20_000)]);
        Server.Files["/m/" + Index] = Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(new { weight_map = new Dictionary<string, string> { ["x"] = first, ["y"] = second } }));

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/{Index}", "model", "--force");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"/m/{Index}: the file \"{second}\" cannot be written, because {reason}", run.Error, Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Folder.Path));
    }

    [Theory]
    [InlineData("%2Ebashrc")]
    [InlineData(".ssh%2Fauthorized_keys")]
    [InlineData("%2e%2e%2Fup")]
    [InlineData("nul")]
    [InlineData("a.partial")]
    public async Task A_URL_that_ends_in_a_forbidden_name_needs_a_destination_with_a_file_name(string last)
    {
        Server.Files["/m/" + Uri.UnescapeDataString(last)] = Encoding.UTF8.GetBytes("theirs");
        Server.Intercept = async context =>
        {
            await Microsoft.AspNetCore.Http.Results.Bytes(Encoding.UTF8.GetBytes("theirs"), enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        };

        ToolRun folder = await RunAsync("download", $"{Server.Address}/m/{last}", ".", "--force");
        ToolRun named = await RunAsync("download", $"{Server.Address}/m/{last}", "mine.txt");

        Assert.Equal(64, folder.ExitCode);
        Assert.Contains("give a DEST with a file name", folder.Error, Ordinal);
        Assert.Equal(0, named.ExitCode);
        Assert.Equal(["mine.txt"], Names("."));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("other tensors")]
    [InlineData("fewer tensors")]
    [InlineData("empty")]
    [InlineData("index")]
    public async Task A_file_that_is_not_an_earlier_copy_is_replaced_only_with_force(string kind)
    {
        Serve("x", "1.safetensors");
        byte[] mine = kind switch
        {
            "text" => "mine"u8.ToArray(),
            "other tensors" => TestFile.Bytes([TestFile.Noise("y", "U8", 8, 30)]),
            "fewer tensors" => TestFile.Bytes([]),
            "empty" => [],
            _ => """{"weight_map":{"x":"1.safetensors"}}"""u8.ToArray(),
        };
        Directory.CreateDirectory(Folder["model"]);
        await File.WriteAllBytesAsync(Folder["model/1.safetensors"], mine, TestContext.Current.CancellationToken);
        string uri = $"{Server.Address}/m/{Index}";

        ToolRun run = await RunAsync("download", uri, "model");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: model/1.safetensors: the file exists and is not an earlier copy of http", run.Error, Ordinal);
        Assert.Contains("--force", run.Error, Ordinal);
        Assert.Equal(["1.safetensors"], Names("model"));
        Assert.Equal(mine, File.ReadAllBytes(Folder["model/1.safetensors"]));

        ToolRun forced = await RunAsync("download", uri, "model", "--force");
        Assert.Equal(0, forced.ExitCode);
        Assert.Equal(Server.Files["/m/1.safetensors"], File.ReadAllBytes(Folder["model/1.safetensors"]));
    }

    [Fact]
    public async Task An_index_of_other_tensors_is_not_replaced()
    {
        Serve("x", "1.safetensors");
        Directory.CreateDirectory(Folder["model"]);
        const string Mine = """{"weight_map":{"x":"1.safetensors","more":"2.safetensors"}}""";
        await File.WriteAllTextAsync(Folder["model/" + Index], Mine, TestContext.Current.CancellationToken);

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/{Index}", "model");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"error: model/{Index}: the file exists", run.Error, Ordinal);
        Assert.Equal(Mine, Text("model/" + Index));
        Assert.Equal([Index], Names("model"));
    }

    [Fact]
    public async Task An_earlier_copy_is_replaced_without_force()
    {
        Serve("x", "1.safetensors");
        string uri = $"{Server.Address}/m/{Index}";
        Assert.Equal(0, (await RunAsync("download", uri, "model")).ExitCode);
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("x", "F32", 32, 2000)]);

        ToolRun run = await RunAsync("download", uri, "model");

        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal(Server.Files["/m/1.safetensors"], File.ReadAllBytes(Folder["model/1.safetensors"]));
    }

    [Fact]
    public async Task A_download_into_a_folder_replaces_no_user_file_and_a_download_to_a_named_file_does()
    {
        Server.Files["/config.json"] = "theirs"u8.ToArray();
        await File.WriteAllTextAsync(Folder["config.json"], "mine", TestContext.Current.CancellationToken);

        ToolRun refused = await RunAsync("download", $"{Server.Address}/config.json", ".");
        Assert.Equal((1, "mine"), (refused.ExitCode, Text("config.json")));
        Assert.Equal(["config.json"], Names("."));

        ToolRun named = await RunAsync("download", $"{Server.Address}/config.json", "config.json");
        Assert.Equal((0, "theirs"), (named.ExitCode, Text("config.json")));
    }

    [Fact]
    public async Task A_file_that_appears_at_the_target_during_a_download_is_not_replaced()
    {
        Serve("x", "1.safetensors");
        Server.Intercept = context =>
        {
            if (context.Request.Path == "/m/1.safetensors" && Ranges.Of(context.Request.Headers.Range!).Length > 1000)
            {
                File.WriteAllText(Folder["model/1.safetensors"], "mine");
            }

            return Task.FromResult(false);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/{Index}", "model");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error: model/1.safetensors: the file exists", run.Error, Ordinal);
        Assert.Equal("mine", Text("model/1.safetensors"));

        // What came is there for who moves the file away.
        File.Delete(Folder["model/1.safetensors"]);
        ToolRun again = await RunAsync("download", $"{Server.Address}/m/{Index}", "model");
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("resuming: ", again.Error, Ordinal);
    }

    private void Serve(string tensor, string shard)
    {
        byte[] bytes = TestFile.Bytes([TestFile.Noise(tensor, "U8", 8, 20_000)]);
        Server.Files["/m/" + shard] = bytes;
        Server.Files["/m/" + Index] = Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(new { weight_map = new Dictionary<string, string> { [tensor] = shard } }));
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.InAsync(Folder.Path, args);

    private string Text(string name) => File.ReadAllText(Folder[name]);

    private IEnumerable<string> Names(string folder) => Directory.GetFiles(Folder[folder], "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Folder[folder], path).Replace('\\', '/')).Order(StringComparer.Ordinal);
}
