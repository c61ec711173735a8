using System.Text.Json;
using TypedWeights.Tests.Support;
using TypedWeights.Tool.Running;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class InspectCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Inspect_writes_a_line_of_JSON_in_exactly_the_documented_form()
    {
        TestFile.Write(
            _folder["a.safetensors"],
            [TestFile.F32("z", [2, 3], 1, 2, 3, 4, 5, 6), TestFile.F32("s", [], 1)],
            new Dictionary<string, string> { ["b"] = "2", ["a"] = "\"1\"" });

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "--json", "a.safetensors");

        Assert.Equal(
            """{"uri":"a.safetensors","ok":true,"metadata":{"a":"\"1\"","b":"2"},"tensors":["""
            + """{"name":"z","dtype":"F32","shape":[2,3],"begin":0,"end":24},"""
            + """{"name":"s","dtype":"F32","shape":[],"begin":24,"end":28}],"warnings":[]}""" + "\n",
            run.Out);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Inspect_of_an_index_lists_each_tensor_with_its_file_and_the_digest_of_its_bytes()
    {
        TestFile.WriteSharded(_folder["m"], new Dictionary<string, TestFile.Entry[]>
        {
            ["2.safetensors"] = [TestFile.F32("a", [1], 1)],
            ["1.safetensors"] = [TestFile.F32("c", [0]), TestFile.F32("b", [1], 1)],
        });

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "--json", "--digest", "m");

        string one = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([0, 0, 0x80, 0x3F]));
        const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        Assert.Equal(
            """{"uri":"m","ok":true,"metadata":{},"tensors":["""
            + $$$"""{"name":"c","dtype":"F32","shape":[0],"begin":0,"end":0,"file":"1.safetensors","sha256":"{{{Empty}}}"},"""
            + $$$"""{"name":"b","dtype":"F32","shape":[1],"begin":0,"end":4,"file":"1.safetensors","sha256":"{{{one}}}"},"""
            + $$$"""{"name":"a","dtype":"F32","shape":[1],"begin":0,"end":4,"file":"2.safetensors","sha256":"{{{one}}}"}"""
            + """],"warnings":[]}""" + "\n",
            run.Out);
    }

    [Fact]
    public async Task Inspect_shows_a_backslash_in_a_tensor_name_as_two_backslashes()
    {
        string[] names = ["a\\b.0", "a\\b.1", "{\\}"];
        TestFile.Write(_folder["a.safetensors"], names.Select(name => TestFile.F32(name, [1], 1)));

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "a.safetensors");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("a\\\\b.{0,1}", run.Out, Ordinal);
        Assert.Contains("\\{\\\\\\}", run.Out, Ordinal);
    }

    [Fact]
    public async Task Inspect_writes_a_line_for_every_input_and_exits_with_1_if_any_input_fails()
    {
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("a", [1], 1)]);
        await File.WriteAllBytesAsync(_folder["b.safetensors"], [1, 2], TestContext.Current.CancellationToken);

        ToolRun run = await ToolRun.InAsync(
            _folder.Path,
            "inspect", "b.safetensors", "a.safetensors", "absent", "nobody://b/c", "http://127.0.0.1:1/x",
            "http://u:hunter2@host:port/", "--json");

        Assert.Equal((1, "", 6), (run.ExitCode, run.Error, run.OutLines.Length));
        JsonElement[] lines = [.. run.OutLines.Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        Assert.Equal(
            ["b.safetensors", "a.safetensors", "absent", "nobody://b/c", "http://127.0.0.1:1/x", "http://…"],
            lines.Select(line => line.GetProperty("uri").GetString()));
        Assert.Equal(
            ["HeaderTooSmall", null, "NotFound", "UnknownScheme", "Unreachable", "InvalidUri"],
            lines.Select(line => line.GetProperty("ok").GetBoolean() ? null : line.GetProperty("error").GetProperty("kind").GetString()));
        Assert.Matches(
            """^\{"uri":"b\.safetensors","ok":false,"error":\{"kind":"HeaderTooSmall","message":"[^"]*b\.safetensors: .*"\}\}$""",
            run.OutLines[0]);
        Assert.DoesNotContain("hunter2", run.All, Ordinal);
    }

    [Fact]
    public async Task Inspect_shows_a_dimension_beyond_63_bits_exactly()
    {
        string file = Path.Combine(Corpus.Root, "disputed", "zero_then_overflowing_dims.safetensors");

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "--json", file);

        Assert.Contains("\"shape\":[0,9223372036854775808,9223372036854775808]", run.Out, Ordinal);
    }

    [Fact]
    public async Task Inspect_gives_every_file_of_the_corpus_the_recorded_verdict_and_digests()
    {
        string[] files = [.. Corpus.Files.Select(c => Path.Combine(Corpus.Root, c.File))];

        ToolRun run = await ToolRun.InAsync(_folder.Path, ["inspect", "--json", "--digest", .. files]);

        Assert.Equal(Corpus.Files.Count, run.OutLines.Length);
        var wrong = new List<string>();
        foreach ((FileCase expected, string line) in Corpus.Files.Zip(run.OutLines))
        {
            JsonElement found = JsonSerializer.Deserialize<JsonElement>(line);
            bool ok = found.GetProperty("ok").GetBoolean();
            bool right = expected.Recommended == "either" || ok == (expected.Recommended == "accept");
            if (right && ok)
            {
                var tensors = found.GetProperty("tensors").EnumerateArray().Select(Describe).Order(StringComparer.Ordinal);
                right = tensors.SequenceEqual(expected.Tensors!.Select(Describe).Order(StringComparer.Ordinal));
            }
            else if (right && expected.Verdict == "reject")
            {
                right = found.GetProperty("error").GetProperty("kind").GetString() == expected.ReferenceError;
            }

            if (!right)
            {
                wrong.Add($"{expected.File}: {line[..Math.Min(line.Length, 300)]}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Inspect_groups_layers_with_the_same_tensors_and_shows_their_sizes()
    {
        WriteModel("net.safetensors");

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "net.safetensors");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("net.safetensors", run.OutLines[0]);
        double kilobytes = new FileInfo(_folder["net.safetensors"]).Length / 1000.0;
        Assert.StartsWith($"34 tensors, 1.09 K values, {kilobytes:F2} kB in 1 file", run.OutLines[1], Ordinal);
        Assert.Equal(
            [
                "Types",
                "  BF16   16 tensors   512 values     1.02 kB",
                "  U8     18 tensors   576 values   576 bytes",
                "Tensors",
                "  embed.weight                       BF16  [4, 8]       64 bytes",
                "  layers.{0..11}                                       768 bytes",
                "    layers.{0..11}.norm.weight       BF16  [32]    12 × 64 bytes",
                "  layers.{0..2}                                        192 bytes",
                "    layers.{0..2}.mlp.up.weight      BF16  [4, 8]   3 × 64 bytes",
                "  layers.{3..11}                                       576 bytes",
                "    layers.{3..11}.experts.{0,1}.up  U8    [4, 8]  18 × 32 bytes",
            ],
            run.OutLines[2..]);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Inspect_fits_its_lines_to_the_terminal_width_and_keeps_every_name(int width)
    {
        WriteModel("net.safetensors", "a.rather.long.prefix.for.the.names.of.these.layers.");

        ToolRun run = await ToolRun.InAsync(_folder.Path, new Terminal(width, HasColor: false), "inspect", "net.safetensors");

        Assert.Equal(0, run.ExitCode);
        Assert.All(run.OutLines, line => Assert.True(line.Length <= width, line));
        string joined = string.Concat(run.OutLines.Select(line => line.Trim()));
        Assert.Contains("layers.{0..11}", joined, Ordinal);
        Assert.Contains("experts.{0,1}.up", joined, Ordinal);
    }

    [Fact]
    public async Task Inspect_writes_colours_only_to_a_colour_terminal_and_escapes_those_of_the_file()
    {
        TestFile.Write(
            _folder["a.safetensors"],
            [TestFile.F32("\u001b[31mred\u001b[0m\n[bold]x[/]", [1], 1)],
            new Dictionary<string, string> { ["\u001b]0;title\u0007"] = "\u001b[2J" });

        ToolRun plain = await ToolRun.InAsync(_folder.Path, "inspect", "a.safetensors");
        ToolRun colored = await ToolRun.InAsync(_folder.Path, new Terminal(80, HasColor: true), "inspect", "a.safetensors");

        Assert.DoesNotContain('\u001b', plain.Out);
        Assert.Contains("\\u{1B}[31mred\\u{1B}[0m\\u{A}[bold]x[/]", plain.Out, Ordinal);
        Assert.Contains('\u001b', colored.Out);
        Assert.DoesNotContain("\u001b[31m", colored.Out, Ordinal);
        Assert.DoesNotContain("\u001b[2J", colored.Out, Ordinal);
    }

    [Fact]
    public async Task Inspect_shows_metadata_and_ties_and_files_and_warnings()
    {
        string index = TestFile.WriteSharded(_folder["m"], new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.F32("b", [1], 1)],
            ["2.safetensors"] = [TestFile.F32("a", [1], 1)],
        });
        TestFile.Write(
            _folder["m/1.safetensors"],
            [TestFile.F32("b", [1], 1), TestFile.F32("extra", [1], 1)],
            new Dictionary<string, string> { ["tied.w"] = "b", ["format"] = "b", ["long"] = new('x', 5000) });

        ToolRun run = await ToolRun.InAsync(_folder.Path, "inspect", "m");

        Assert.Equal("m (model.safetensors.index.json)", run.OutLines[0]);
        Assert.Contains("in 2 files", run.OutLines[1], Ordinal);
        Assert.Contains(run.OutLines, line => line.StartsWith("  2.safetensors", Ordinal));
        Assert.Contains("  tied.w: b (tied)", run.OutLines);
        Assert.Contains("  format: b", run.OutLines);
        Assert.Contains("(5,000 characters)", run.Out, Ordinal);
        Assert.Contains(run.OutLines, line => line.StartsWith("warning: ", Ordinal));
        Assert.Contains("\"extra\"", run.Out, Ordinal);
        Assert.True(File.Exists(index));
    }

    private static string Describe(JsonElement tensor) => string.Join(
        '|', tensor.GetProperty("name").GetString(), tensor.GetProperty("dtype").GetString(),
        tensor.GetProperty("shape").GetRawText(), tensor.GetProperty("begin").GetInt64(), tensor.GetProperty("end").GetInt64(),
        tensor.GetProperty("sha256").GetString());

    private static string Describe(TensorCase tensor) => string.Join(
        '|', tensor.Name, tensor.Dtype, $"[{string.Join(',', tensor.Shape)}]", tensor.Begin, tensor.End, tensor.Sha256);

    // Twelve layers, the first three dense, the others with two experts each.
    private void WriteModel(string file, string prefix = "")
    {
        var entries = new List<TestFile.Entry> { TestFile.Noise("embed.weight", "BF16", 16, 4, 8) };
        for (int layer = 0; layer < 12; layer++)
        {
            string name = $"{prefix}layers.{layer}";
            entries.Add(TestFile.Noise(name + ".norm.weight", "BF16", 16, 32));
            entries.AddRange(layer < 3
                ? [TestFile.Noise(name + ".mlp.up.weight", "BF16", 16, 4, 8)]
                : [TestFile.Noise(name + ".experts.0.up", "U8", 8, 4, 8), TestFile.Noise(name + ".experts.1.up", "U8", 8, 4, 8)]);
        }

        TestFile.Write(_folder[file], entries);
    }
}
