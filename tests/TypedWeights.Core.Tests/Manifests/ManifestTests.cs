using System.Text;
using CsCheck;
using TypedWeights.Binding;
using TypedWeights.Manifests;
using TypedWeights.Snapshots;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Manifests;

public class ManifestTests
{
    private static readonly Gen<string> Segment = Gen.OneOf(
        Gen.Int[0, 12].Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Pick(
            "a", "weight", "", " ", "-", "{0}", "\\", "}", "007", "0x1", "2147483648",
            "é", "\u2028", "😀", "\uFFFF", "\0", "\"\"\"", "\\s", "\\u{41}", "\\e"),
        Gen.String[Gen.Char, 0, 4].Where(text => !text.Any(char.IsSurrogate)));

    private static readonly Gen<string> Name = Segment.Array[1, 6].Select(segments => string.Join('.', segments));

    private static readonly Gen<(DType, ulong[])> Kind = Pick<(DType, ulong[])>(
        (DType.F32, [2, 3]), (DType.F32, []), (DType.BF16, [4]), (DType.U8, [0]), (DType.I64, [1]), (DType.F4, [2, 3]),
        (DType.U8, [0, ulong.MaxValue]));

    private static readonly string?[] Validators = [null, "-", "W/\"e tag\""];

    public static TheoryData<string> OddNames =>
        [.. Corpus.Files.Select(file => file.File).Where(file => file.StartsWith("valid/names_", StringComparison.Ordinal))];

    [Fact]
    public void Any_snapshot_survives_the_round_trip_through_a_manifest() =>
        Gen.Select(Gen.Select(Name, Kind).Array[0, 40], Gen.Int[1, 3], Gen.Int, Gen.Bool).Sample(
            (tensors, files, seed, sorted) => AssertRoundTrip(Snapshot(tensors, files, seed, sorted)));

    [Fact]
    public void Nested_lists_with_missing_numbers_survive_the_round_trip_through_a_manifest() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Pick("w", "b")).Array[1, 60].Sample(places => AssertRoundTrip(Snapshot(
            [.. places.Distinct().Select(
                place => ($"l.{place.Item1}.e.{place.Item2}.{place.Item3}", (DType.F32, (ulong[])[1])))], 1, 0, true)));

    [Theory]
    [MemberData(nameof(OddNames))]
    public void Odd_tensor_names_survive_the_round_trip_through_a_manifest(string file)
    {
        TensorCase[] tensors = Corpus.Files.Single(found => found.File == file).Tensors!;
        long data = tensors.Length == 0 ? 0 : tensors.Max(tensor => tensor.End);
        AssertRoundTrip(new WeightSnapshot("X", "s", null, [File("f", data)], [.. tensors.Select(tensor =>
        {
            Assert.True(DTypes.TryParse(tensor.Dtype, out DType dtype));
            return new SnapshotTensor(tensor.Name, dtype, new TensorShape(tensor.Shape), 0, tensor.Begin, tensor.End, null);
        })]));
    }

    [Fact]
    public void Layers_with_the_same_tensors_share_one_line_of_the_manifest()
    {
        (string, (DType, ulong[]))[] tensors =
        [
            .. from layer in Enumerable.Range(0, 48)
               from expert in Enumerable.Range(0, 128)
               from part in new[] { "gate", "up", "down" }
               select ($"model.layers.{layer}.mlp.experts.{expert}.{part}_proj.weight", (DType.BF16, (ulong[])[768, 2048])),
        ];
        string text = ManifestWriter.Write(Snapshot(tensors, 1, 0, true), "s", TestContext.Current.CancellationToken);
        Assert.Equal(
            """
            typedweights 1
            source s
            file 100 57982058604 - file0
            tensor BF16 [768,2048] model.layers.{0..47}.mlp.experts.{0..127}.down_proj.weight
            tensor BF16 [768,2048] model.layers.{0..47}.mlp.experts.{0..127}.gate_proj.weight
            tensor BF16 [768,2048] model.layers.{0..47}.mlp.experts.{0..127}.up_proj.weight
            layout 0 sorted 0..18431

            """.ReplaceLineEndings("\n"),
            text);
        WeightManifest manifest = WeightManifest.Parse(Encoding.ASCII.GetBytes(text));
        Assert.Equal(tensors.Length, manifest.Tensors.Count);
        Assert.Equal("model.layers.47.mlp.experts.127.up_proj.weight", manifest.Tensors[^1].Name);
    }

    [Fact]
    public void A_manifest_with_carriage_returns_is_read_like_one_without()
    {
        byte[] text = Encoding.ASCII.GetBytes("typedweights 1\r\nsource s\r\nfile 2 14 - f\r\ntensor F32 [1] a\r\nlayout 0 0\r\n");
        Assert.Equal("a", WeightManifest.Parse(text).Tensors.Single().Name);
    }

    [Theory]
    [InlineData("typedweights 2\nsource s", "line 1: expected \"typedweights 1\"")]
    [InlineData("typedweights 1\nnonsense", "line 2: not a valid line of a manifest")]
    [InlineData("typedweights 1\ntensor F33 [1] a", "line 2: \"F33\" is not a dtype")]
    [InlineData("typedweights 1\ntensor F32 1 a", "line 2: \"1\" is not a shape")]
    [InlineData("typedweights 1\ntensor F32 [x] a", "line 2: \"x\" is not a dimension")]
    [InlineData("typedweights 1\ntensor F32 [1] a\\q", "line 2: an escape that manifests do not support")]
    [InlineData("typedweights 1\ntensor F32 [1] a\\u{110000}", "line 2: an escape that manifests do not support")]
    [InlineData("typedweights 1\ntensor F32 [1] a{", "line 2: a number is missing or too large")]
    [InlineData("typedweights 1\ntensor F32 [1] a}", "line 2: a closing brace without an opening brace")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 1 0", "a layout refers to a file or tensor that does not exist")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 2147483648 0", "a layout refers to a file or tensor that does "
        + "not exist")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 4294967296 0", "a layout refers to a file or tensor that does "
        + "not exist")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 9223372036854775807 0", "a file or tensor that does not exist")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 0 0 0", "\"a\" is laid out twice")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\ntensor F32 [1] b\nlayout 0 0", "1 tensors are not in any file")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\nlayout 0 0 +4", "a number is missing or too large")]
    [InlineData("typedweights 1\nsource s\nfile 2 15 - f\ntensor F32 [1] a\nlayout 0 0", "the tensors of \"f\" do not fill it")]
    [InlineData("typedweights 1\nsource s\nfile 2 10 - f\ntensor F4 [1] a\nlayout 0 0", "\"a\" has no size in bytes")]
    [InlineData("typedweights 1\nfile 2 10 - f", "no source")]
    [InlineData("typedweights 1\nsource s\nfile 2 18 - f\ntensor F32 [1] a\ntensor F32 [1] a\nlayout 0 0 1", "lists \"a\" twice")]
    [InlineData("typedweights 1\nsource s\nfile 2 14 - f\ntensor F32 [1] a\ntie b c\nlayout 0 0", "the tied name \"b\" refers to a missing tensor")]
    public void A_manifest_that_contradicts_itself_is_refused(string text, string message)
    {
        FormatException e = Assert.Throws<FormatException>(() => WeightManifest.Parse(Encoding.ASCII.GetBytes(text)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_of_a_shard_with_bytes_of_no_tensor_does_not_state_where_the_tensors_are()
    {
        WeightManifest manifest = Parse(new WeightSnapshot(
            "X", "s", null, [File("f", 24), File("g", 8)],
            [
                new SnapshotTensor("a", DType.U8, new TensorShape(4), 0, 4, 8, null),
                new SnapshotTensor("b", DType.U8, new TensorShape(4), 0, 8, 12, null),
            ]));
        Assert.Equal(
            [new ManifestTensor("a", DType.U8, new TensorShape(4), -1, 0, 0), new ManifestTensor("b", DType.U8, new TensorShape(4), -1, 0, 0)],
            manifest.Tensors);
    }

    [Fact]
    public void A_tied_name_has_the_path_of_its_tensor()
    {
        WeightManifest manifest = Parse(new WeightSnapshot(
            "X", "s", "main", [File("f", 8) with { Metadata = [new("embed.w", "head"), new("other.w", "text"), new("head", "head")] }],
            [new SnapshotTensor("head", DType.F32, new TensorShape(2), 0, 0, 8, null)]));
        Assert.Equal("head", manifest.Ties["embed.w"]);
        Assert.Single(manifest.Ties);
        Assert.Equal(new WeightPath("embed.w", DType.F32, new TensorShape(2)), manifest.Path("embed.w"));
        Assert.Equal(["head", "embed.w"], manifest.Paths.Select(path => path.ToString()));
        Assert.Contains(
            "\"nothing\"", Assert.Throws<KeyNotFoundException>(() => manifest.Path("nothing")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_scope_finds_the_groups_and_items_below_a_prefix()
    {
        string[] names = ["a.0", "a.1.w", "a.3", "b", "b.c", "0", "1.x"];
        PathScope root = PathScope.Root(Parse(Snapshot([.. names.Select(name => (name, (DType.F32, (ulong[])[1])))], 1, 0, true)));
        Assert.True(root.HasGroup("a"));
        Assert.True(root.HasGroup("b"));
        Assert.False(root.HasGroup("c"));
        Assert.Equal(2, root.CountItems("a", 9));
        Assert.Equal(1, root.CountItems("a", 1));
        Assert.Equal(2, root.CountItems(null, 9));
        Assert.Equal([0, 3], root.PresentItems("a", 0, 2, 3));
        Assert.Equal("b", root.Group("b").Tensor(null).Name);
        Assert.Null(root.Group("a").OptionalTensor("2"));
        Assert.Equal(["a.0", "a.3"], root.Sparse("a", [0, 3], item => item.Tensor(null).Name).Values);
        Assert.Equal("a.1.w", root.List("a", 2, item => item)[1].Tensor("w").Name);
    }

    private static WeightSnapshot Snapshot((string Name, (DType DType, ulong[] Shape) Kind)[] tensors, int files, int seed, bool sorted)
    {
        var random = new Random(seed);
        (string Name, (DType DType, ulong[] Shape) Kind)[] distinct = [.. tensors.DistinctBy(tensor => tensor.Name)];
        if (sorted)
        {
            distinct = [.. distinct.OrderByDescending(tensor => tensor.Kind.DType).ThenBy(tensor => tensor.Name, StringComparer.Ordinal)];
        }
        else
        {
            random.Shuffle(distinct);
        }

        var ends = new long[files];
        var snapshot = new List<SnapshotTensor>();
        foreach ((string name, (DType dtype, ulong[] dimensions)) in distinct)
        {
            int file = random.Next(files);
            var shape = new TensorShape(dimensions);
            Assert.True(shape.TryGetElementCount(out ulong count));
            long begin = ends[file];
            ends[file] += (long)count * dtype.BitSize() / 8;
            snapshot.Add(new SnapshotTensor(name, dtype, shape, file, begin, ends[file], null));
        }

        string? revision = files == 1 ? null : "r v";
        IEnumerable<SnapshotFile> all = ends.Select((end, index) => File($"file{index}", end) with
        {
            Validator = Validators[index],
            Version = index % 2 == 0 ? null : $"v {index}",
        });
        return new WeightSnapshot("X", "s", revision, [.. all], snapshot)
        {
            Index = files > 1 ? new SnapshotIndex("an index.json", "v {0}") : null,
        };
    }

    [Fact]
    public void A_manifest_has_the_digests_that_the_snapshot_has()
    {
        string one = new('a', 64), two = new('0', 64);
        SnapshotTensor[] tensors =
        [
            new("x.1.w", DType.U8, new TensorShape(2), 0, 0, 2, one), new("x.0.w", DType.U8, new TensorShape(2), 0, 2, 4, two),
            new("a", DType.U8, new TensorShape(1), 0, 4, 5, null),
        ];
        var snapshot = new WeightSnapshot("X", "s", null, [File("f", 5)], tensors);

        WeightManifest manifest = Parse(snapshot);

        Assert.True(manifest.HasDigests);
        Assert.Equal((one, two, null), (manifest.DigestOf("x.1.w"), manifest.DigestOf("x.0.w"), manifest.DigestOf("a")));
        Assert.False(
            Parse(new WeightSnapshot("X", "s", null, [File("f", 5)], [.. tensors.Select(tensor => tensor with { Sha256 = null })])).HasDigests);
        string text = ManifestWriter.Write(snapshot, "s", CancellationToken.None);
        Assert.Throws<FormatException>(() => WeightManifest.Parse(Encoding.ASCII.GetBytes(text.Replace("digest -\n", "", StringComparison.Ordinal))));
        Assert.Throws<FormatException>(
            () => WeightManifest.Parse(Encoding.ASCII.GetBytes(text.Replace(one, "A" + one[1..], StringComparison.Ordinal))));
    }

    private static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static SnapshotFile File(string name, long data) => new(name, 8 + 100 + data, null, 100, new string('0', 64), []);

    private static WeightManifest Parse(WeightSnapshot snapshot) =>
        WeightManifest.Parse(Encoding.ASCII.GetBytes(ManifestWriter.Write(snapshot, snapshot.Source, CancellationToken.None)));

    private static void AssertRoundTrip(WeightSnapshot snapshot)
    {
        string text = ManifestWriter.Write(snapshot, snapshot.Source, CancellationToken.None);
        Assert.All(text, c => Assert.True(c is '\n' or (>= ' ' and < (char)0x7F)));
        WeightManifest manifest = WeightManifest.Parse(Encoding.ASCII.GetBytes(text));
        Assert.Equal(snapshot.Source, manifest.Source);
        Assert.Equal(snapshot.Revision, manifest.Revision);
        Assert.Equal(snapshot.Index?.Version, WeightPins.Of(manifest).VersionOf("an index.json"));
        Assert.Equal(
            snapshot.Files.Select(file => new ManifestFile(file.Name, file.Length, file.Validator, file.HeaderLength) { Version = file.Version }),
            manifest.Files);
        Assert.Equal(
            snapshot.Tensors.Select(
                tensor => new ManifestTensor(tensor.Name, tensor.DType, tensor.Shape, tensor.File, tensor.Begin, tensor.End))
                .OrderBy(tensor => tensor.Name, StringComparer.Ordinal),
            manifest.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal));
    }
}
