using TypedWeights.Snapshots;

namespace TypedWeights.Tests.Snapshots;

public sealed class SnapshotComparisonTests
{
    private static readonly SnapshotTensor A = new("a", DType.F32, new TensorShape(2), 0, 0, 8, null);
    private static readonly SnapshotTensor B = new("b", DType.F32, new TensorShape(2), 0, 8, 16, null);

    [Fact]
    public void Equal_snapshots_do_not_differ() => Assert.Empty(SnapshotComparison.Compare(Of([A, B]), Of([A, B])));

    [Fact]
    public void A_changed_name_dtype_or_shape_is_drift()
    {
        WeightSnapshot live = Of([A with { DType = DType.I32 }, new SnapshotTensor("c", DType.U8, new TensorShape(8), 0, 8, 16, null)]);

        IReadOnlyList<SnapshotDifference> differences = SnapshotComparison.Compare(Of([A, B]), live);

        Assert.Equal(
            ["a: F32 [2] became I32 [2]", "b: F32 [2] is gone", "c: U8 [8] is new"],
            differences.Select(difference => $"{difference.Name}: {difference.Message}"));
        Assert.All(differences, difference => Assert.True(difference.IsDrift));
    }

    [Fact]
    public void A_removed_added_or_changed_tie_is_drift()
    {
        Assert.Equal("t.w: F32 [2] is gone; it was tied to a", Only(Of([A, B], ("t.w", "a")), Of([A, B]), drift: true));
        Assert.Equal("t.w: F32 [2] is new, tied to a", Only(Of([A, B]), Of([A, B], ("t.w", "a")), drift: true));
        Assert.Equal("t.w: was tied to a and is tied to b", Only(Of([A, B], ("t.w", "a")), Of([A, B], ("t.w", "b")), drift: true));
    }

    [Fact]
    public void A_tied_name_that_becomes_a_stored_tensor_is_not_drift()
    {
        (string, string)[] tie = [("b", "a"), ("tie:b", "a")];
        Assert.Equal("b: was tied to a and is now stored separately", Only(Of([A], tie), Of([A, B], tie[1]), drift: false));
        Assert.Equal("b: was stored separately and is now tied to a", Only(Of([A, B], tie[1]), Of([A], tie), drift: false));
    }

    [Fact]
    public void A_changed_layout_is_one_difference_for_any_number_of_moved_tensors()
    {
        WeightSnapshot live = Of([A with { Begin = 8, End = 16 }, B with { Begin = 0, End = 8 }]);

        Assert.Equal("a: moved, along with 1 more", Only(Of([A, B]), live, drift: false));
    }

    [Theory]
    [InlineData("length", "f: 26 bytes became 27")]
    [InlineData("validator", "f: validator (none) became \"2\": the values may differ")]
    [InlineData("header", "f: the header is formatted differently")]
    [InlineData("revision", ": revision (none) became abc")]
    [InlineData("metadata", "f: the metadata \"format\" was \"pt\" and is \"np\"")]
    [InlineData("index", "i.json: version (none) became 2")]
    [InlineData("metadata gone", "f: the metadata \"format\" is gone")]
    public void A_difference_that_does_not_break_a_load_is_not_drift(string what, string expected)
    {
        WeightSnapshot old = Of([A, B], ("format", "pt"));
        SnapshotFile file = old.Files[0];
        SnapshotFile changed = what switch
        {
            "length" => file with { Length = 27 },
            "validator" => file with { Validator = "\"2\"" },
            "header" => file with { HeaderSha256 = new string('1', 64) },
            "metadata" => file with { Metadata = [new("format", "np")] },
            "metadata gone" => file with { Metadata = [] },
            _ => file,
        };

        var live = new WeightSnapshot("X", "s", what == "revision" ? "abc" : null, [changed], old.Tensors)
        {
            Index = what == "index" ? new SnapshotIndex("i.json", "2") : null,
        };
        Assert.Equal(expected, Only(old, live, drift: false));
    }

    [Fact]
    public void Resharding_is_reported_with_the_files_and_one_tensor()
    {
        WeightSnapshot old = Of([A, B]);
        SnapshotFile file = old.Files[0];
        var live = new WeightSnapshot(
            "X", "s", null, [file with { Name = "f1" }, file with { Name = "f2" }], [A, B with { File = 1, Begin = 0, End = 8 }]);

        IReadOnlyList<SnapshotDifference> differences = SnapshotComparison.Compare(old, live);

        Assert.Equal(
            [
                "f: is no longer a file of the source",
                "f1: is a new file of the source",
                "f2: is a new file of the source",
                "a: moved, along with 1 more",
            ],
            differences.Select(difference => $"{difference.Name}: {difference.Message}"));
        Assert.DoesNotContain(differences, difference => difference.IsDrift);
    }

    private static string Only(WeightSnapshot old, WeightSnapshot live, bool drift)
    {
        SnapshotDifference difference = Assert.Single(SnapshotComparison.Compare(old, live));
        Assert.Equal(drift, difference.IsDrift);
        return $"{difference.Name}: {difference.Message}";
    }

    private static WeightSnapshot Of(SnapshotTensor[] tensors, params (string Key, string Value)[] metadata) => new(
        "X", "s", null,
        [new SnapshotFile("f", 26, null, 2, new string('0', 64), [.. metadata.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))])],
        tensors);
}
