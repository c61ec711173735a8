using System.Text;
using CsCheck;
using TypedWeights.Snapshots;

namespace TypedWeights.Tests.Snapshots;

public sealed class SnapshotWriterTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void The_text_of_a_snapshot_has_the_documented_form()
    {
        var snapshot = new WeightSnapshot(
            "Mistral7B",
            "http://host/m/model.safetensors.index.json",
            revision: null,
            [
                new SnapshotFile("b.safetensors", 8 + 10 + 4, "\"e\"", 10, Hash, [new("z", "1"), new("format", "pt")]),
                new SnapshotFile("a.safetensors", 8 + 12 + 12, null, 12, Hash, []),
            ],
            [
                new SnapshotTensor("w", DType.BF16, new TensorShape(2, 3), File: 1, 0, 12, Sha256: null),
                new SnapshotTensor("s", DType.F32, new TensorShape(), File: 0, 0, 4, Hash),
            ])
        {
            Index = new SnapshotIndex("model.safetensors.index.json", "17"),
        };

        Assert.Equal(
            $$$"""
            {
              "schema": "typedweights.snapshot/1",
              "class": "Mistral7B",
              "source": "http://host/m/model.safetensors.index.json",
              "revision": null,
              "index": {"name": "model.safetensors.index.json", "version": "17"},
              "files": [
                {"name": "a.safetensors", "length": 32, "validator": null, "headerLength": 12, HASH, "metadata": {}},
                {"name": "b.safetensors", "length": 22, "validator": "\"e\"", "headerLength": 10, HASH, "metadata": {"format": "pt", "z": "1"}}
              ],
              "tensors": [
                {"name": "s", "dtype": "F32", "shape": [], "file": 1, "begin": 0, "end": 4, "sha256": "{{{Hash}}}"},
                {"name": "w", "dtype": "BF16", "shape": [2, 3], "file": 0, "begin": 0, "end": 12}
              ]
            }

            """.ReplaceLineEndings("\n").Replace("HASH", $"\"headerSha256\": \"{Hash}\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(SnapshotWriter.Write(snapshot)));
    }

    [Fact]
    public void A_model_without_tensors_can_be_written_as_a_snapshot()
    {
        var snapshot = new WeightSnapshot("Empty", "e.safetensors", "r1", [new SnapshotFile("e.safetensors", 10, null, 2, Hash, [])], []);

        byte[] bytes = SnapshotWriter.Write(snapshot);

        Assert.Contains("\"tensors\": []\n}\n", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal("r1", SnapshotReader.Read(bytes).Revision);
    }

    [Theory]
    [InlineData("plain.weight", "plain.weight")]
    [InlineData("größe.重み.🦙", "größe.重み.🦙")]
    [InlineData("quote\"back\\slash/", "quote\\\"back\\\\slash/")]
    [InlineData("line\nfeed\ttab\r", "line\\nfeed\\ttab\\r")]
    [InlineData("nul\0escape\u001b[31m\u007f", "nul\\u0000escape\\u001b[31m\\u007f")]
    [InlineData("right\u202Eto\u200Bleft\uFEFF", "right\\u202eto\\u200bleft\\ufeff")]
    [InlineData("line\u2028separator\u00A0space", "line\\u2028separator\\u00a0space")]
    [InlineData("filler\u3164tag\U000E0041", "filler\\u3164tag\\udb40\\udc41")]
    [InlineData("{0..3}", "{0..3}")]
    [InlineData("", "")]
    public void Visible_characters_of_a_tensor_name_are_written_as_they_are_and_invisible_ones_are_escaped(string name, string written)
    {
        byte[] bytes = SnapshotWriter.Write(OfTensors([(name, DType.U8)]));

        Assert.Contains($"{{\"name\": \"{written}\", \"dtype\"", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(name, Assert.Single(SnapshotReader.Read(bytes).Tensors).Name);
    }

    [Fact]
    public void A_snapshot_read_back_is_written_with_identical_bytes_for_any_order_of_its_content()
    {
        Gen<string> name = Gen.OneOf(
            Gen.String[Gen.Char.AlphaNumeric, 0, 8],
            Gen.String[Gen.OneOf(Gen.Char['\0', '\u007F'], Gen.Char['\u0080', '\uD7FF'], Gen.Char['\uE000', '\uFFFF']), 0, 6]);
        Gen<(string, DType)[]> tensors = Gen.Select(name, Gen.Int[0, DTypes.All.Count - 1].Select(i => DTypes.All[i])).ArrayUnique[0, 12];
        Gen.Select(tensors, name, name, Gen.Int).Sample((given, source, value, seed) =>
        {
            (string, DType)[] distinct = [.. given.DistinctBy(tensor => tensor.Item1)];
            WeightSnapshot snapshot = OfTensors(distinct, source, value);
            byte[] bytes = SnapshotWriter.Write(snapshot);
            WeightSnapshot read = SnapshotReader.Read(bytes);
            var random = new Random(seed);
            SnapshotTensor[] tensorsShuffled = [.. read.Tensors.OrderBy(_ => random.Next())];
            WeightSnapshot shuffled = new(read.Class, read.Source, read.Revision, read.Files, tensorsShuffled);

            Assert.Equal(bytes, SnapshotWriter.Write(read));
            Assert.Equal(bytes, SnapshotWriter.Write(shuffled));
            Assert.Equal(snapshot.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal), read.Tensors);
            Assert.Equal(source, read.Source);
            Assert.Equal(value, read.Files[0].Metadata.Single().Value);
        });
    }

    // Every tensor has 8 elements, which fill whole bytes in every dtype.
    private static WeightSnapshot OfTensors((string Name, DType DType)[] tensors, string source = "s", string metadata = "v")
    {
        var list = new List<SnapshotTensor>();
        long end = 0;
        foreach ((string name, DType dtype) in tensors)
        {
            long begin = end;
            end += dtype.BitSize();
            list.Add(new SnapshotTensor(name, dtype, new TensorShape(2, 4), 0, begin, end, null));
        }

        return new WeightSnapshot("X", source, null, [new SnapshotFile("f", 8 + 2 + end, null, 2, Hash, [new("key", metadata)])], list);
    }
}
