using TypedWeights.Snapshots;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class SnapshotCommandTests : IDisposable
{
    private static readonly TestFile.Entry[] Tiny = [TestFile.F32("embed.weight", [2, 3], 1, 2, 3, 4, 5, 6), TestFile.F32("scale", [], 1)];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Snapshot_writes_a_file_named_after_the_class_and_a_second_run_changes_nothing()
    {
        TestFile.Write(_folder["models/tiny-v0.1.safetensors"], Tiny, new Dictionary<string, string> { ["format"] = "pt" });

        ToolRun first = await ToolRun.InAsync(_folder.Path, "snapshot", "models/tiny-v0.1.safetensors");

        string path = _folder["weights/Tiny.weights.json"];
        long length = new FileInfo(_folder["models/tiny-v0.1.safetensors"]).Length;
        Assert.Equal(new ToolRun(0, $"wrote weights/Tiny.weights.json: 2 tensors, {length} bytes in 1 file\n", ""), first);
        byte[] written = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        WeightSnapshot snapshot = SnapshotReader.Read(written);
        Assert.Equal(("Tiny", "models/tiny-v0.1.safetensors", null), (snapshot.Class, snapshot.Source, snapshot.Revision));
        Assert.Equal(["embed.weight", "scale"], snapshot.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("tiny-v0.1.safetensors", Assert.Single(snapshot.Files).Name);
        Assert.Equal(SnapshotWriter.Write(snapshot), written);

        DateTime before = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, before);
        ToolRun second = await ToolRun.InAsync(_folder.Path, "snapshot", "models/tiny-v0.1.safetensors");

        Assert.Equal(new ToolRun(0, $"weights/Tiny.weights.json: unchanged, 2 tensors, {length} bytes in 1 file\n", ""), second);
        Assert.Equal(before, File.GetLastWriteTimeUtc(path));
        Assert.Equal(["Tiny.weights.json"], Directory.GetFileSystemEntries(_folder["weights"]).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("model")]
    [InlineData("model/")]
    [InlineData("model/model.safetensors.index.json")]
    public async Task A_snapshot_of_a_folder_or_of_its_index_covers_all_shards_of_the_model(string uri)
    {
        TestFile.WriteSharded(_folder["model"], new Dictionary<string, TestFile.Entry[]>
        {
            ["model-00002-of-00002.safetensors"] = [TestFile.F32("a", [1], 1)],
            ["model-00001-of-00002.safetensors"] = [TestFile.F32("b", [1], 2)],
        });

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", uri, "--class", "Both", "-o", "out/Both.weights.json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        WeightSnapshot snapshot = Read("out/Both.weights.json");
        Assert.Equal(("Both", uri), (snapshot.Class, snapshot.Source));
        Assert.Equal(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], snapshot.Files.Select(file => file.Name));
        Assert.Equal([("a", 1), ("b", 0)], snapshot.Tensors.Select(tensor => (tensor.Name, tensor.File)));
    }

    [Fact]
    public async Task A_snapshot_with_digests_has_the_digest_of_each_tensor()
    {
        TestFile.Write(_folder["a.safetensors"], Tiny);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--digest");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            Tiny.OrderBy(entry => entry.Name, StringComparer.Ordinal)
                .Select(entry => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(entry.Data))),
            Read("weights/A.weights.json").Tensors.Select(tensor => tensor.Sha256));
    }

    [Fact]
    public async Task Snapshot_warns_if_it_drops_the_digests_of_the_old_snapshot()
    {
        TestFile.Write(_folder["a.safetensors"], Tiny);
        await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--digest");

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("take it again with --digest", run.Error, Ordinal);
        Assert.Equal("", (await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors")).Error);
        await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--digest");
        Assert.Equal("", (await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--digest")).Error);

        // The command that verify gives keeps them.
        TestFile.Write(_folder["a.safetensors"], [.. Tiny, TestFile.F32("more", [], 2)]);
        Assert.Contains("typedweights snapshot a.safetensors --digest", (await ToolRun.InAsync(_folder.Path, "verify")).Out, Ordinal);
    }

    [Fact]
    public async Task Snapshot_into_an_output_folder_names_the_file_after_the_class()
    {
        TestFile.Write(_folder["a.safetensors"], Tiny);
        Directory.CreateDirectory(_folder["there"]);

        await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "-o", "there");
        await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "-o", "new/", "--class", "B");

        Assert.Equal("A", Read("there/A.weights.json").Class);
        Assert.Equal("B", Read("new/B.weights.json").Class);
    }

    [Fact]
    public async Task The_snapshot_of_another_source_is_replaced_only_if_its_path_is_given()
    {
        TestFile.Write(_folder["one/model.safetensors"], Tiny);
        TestFile.Write(_folder["two/model.safetensors"], [TestFile.F32("other", [1], 1)]);
        await ToolRun.InAsync(_folder.Path, "snapshot", "one/model.safetensors", "--class", "Model");
        byte[] before = await File.ReadAllBytesAsync(_folder["weights/Model.weights.json"], TestContext.Current.CancellationToken);

        ToolRun refused = await ToolRun.InAsync(_folder.Path, "snapshot", "two/model.safetensors", "--class", "Model");

        Assert.Equal(64, refused.ExitCode);
        Assert.StartsWith("error: weights/Model.weights.json is the snapshot of one/model.safetensors;", refused.Error, Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder["weights/Model.weights.json"], TestContext.Current.CancellationToken));

        ToolRun named = await ToolRun.InAsync(
            _folder.Path, "snapshot", "two/model.safetensors", "--class", "Model", "-o", "weights/Model.weights.json");

        Assert.Equal(0, named.ExitCode);
        Assert.Equal("two/model.safetensors", Read("weights/Model.weights.json").Source);
    }

    [Theory]
    [InlineData("truncated.safetensors", 1, "MetadataIncompleteBuffer")]
    [InlineData("absent.safetensors", 2, "there is no such file or folder")]
    [InlineData("nobody://org/name", 2, "nobody://")]
    [InlineData("http://127.0.0.1:1/model.safetensors", 2, "no connection to the server")]
    [InlineData("http://user:hunter2@:x/", 64, "no valid host")]
    public async Task A_failed_snapshot_prints_one_line_and_leaves_no_file(string uri, int code, string expected)
    {
        byte[] bytes = TestFile.Bytes(Tiny);
        await File.WriteAllBytesAsync(_folder["truncated.safetensors"], bytes[..^1], TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", uri);

        Assert.Equal((code, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error: ", run.Error, Ordinal);
        Assert.Contains(expected, run.Error, Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", run.Error, Ordinal);
        Assert.DoesNotContain("hunter2", run.All, Ordinal);
        Assert.False(Directory.Exists(_folder["weights"]));
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_written_is_reported_and_leaves_no_temporary_file()
    {
        TestFile.Write(_folder["a.safetensors"], Tiny);
        await File.WriteAllTextAsync(_folder["file"], "", TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "-o", "file/A.weights.json");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: file/A.weights.json: the snapshot cannot be written:", run.Error, Ordinal);
        Assert.Equal(
            ["a.safetensors", "file"],
            Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Snapshot_through_a_link_keeps_the_link_and_writes_its_target()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        TestFile.Write(_folder["a.safetensors"], Tiny);
        Directory.CreateDirectory(_folder["weights"]);
        Directory.CreateDirectory(_folder["kept"]);
        await File.WriteAllTextAsync(_folder["kept/A.json"], "spoiled: typedweights.snapshot/1", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(_folder["weights/A.weights.json"], "../kept/A.json");

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("../kept/A.json", new FileInfo(_folder["weights/A.weights.json"]).LinkTarget);
        Assert.Equal("A", Read("kept/A.json").Class);
    }

    [Fact]
    public async Task Snapshot_refuses_an_invalid_class_name_and_warns_of_a_file_that_the_generator_ignores()
    {
        TestFile.Write(_folder["a.safetensors"], Tiny);

        ToolRun refused = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "--class", "1x");
        ToolRun odd = await ToolRun.InAsync(_folder.Path, "snapshot", "a.safetensors", "-o", "a.json");

        Assert.Equal((64, "error: --class: \"1x\" cannot be the name of a C# class.\n"), (refused.ExitCode, refused.Error));
        Assert.Equal((0, "warning: a.json: the generator reads only files named *.weights.json.\n"), (odd.ExitCode, odd.Error));
    }

    [Fact]
    public async Task Tensor_names_with_control_characters_are_stored_escaped_and_read_back_unchanged()
    {
        string[] names = ["\u001b[2J", "a\nb", "\u202Eevil", "quote\"", "größe.重み", "", "{0..3}"];
        TestFile.Write(_folder["odd.safetensors"], names.Select(name => TestFile.F32(name, [1], 1)));

        ToolRun run = await ToolRun.InAsync(_folder.Path, "snapshot", "odd.safetensors");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(names.Order(StringComparer.Ordinal), Read("weights/Odd.weights.json").Tensors.Select(tensor => tensor.Name));
        string text = await File.ReadAllTextAsync(_folder["weights/Odd.weights.json"], TestContext.Current.CancellationToken);
        Assert.DoesNotContain('\u001b', text);
        Assert.DoesNotContain('\u202E', text);
        Assert.Contains("größe.重み", text, Ordinal);
        Assert.Equal(names.Length, text.Split('\n').Count(line => line.Contains("\"dtype\": \"F32\"", Ordinal)));
    }

    private WeightSnapshot Read(string name) => SnapshotReader.Read(File.ReadAllBytes(_folder[name]));
}
