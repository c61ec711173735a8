namespace TypedWeights.Tests.Manifests;

public class WeightListTests
{
    [Fact]
    public void A_slice_of_a_weight_list_has_the_same_items()
    {
        var list = new WeightList<string>("a", "b", "c", "d");
        Assert.Equal(["b", "c"], list[1..3]);
        Assert.Equal("c", list[1..3][1..][0]);
        Assert.Equal(4, list.Count);
        Assert.Equal(4, ((IReadOnlyCollection<string>)list).Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[4]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[1..3][2]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list.Slice(3, 2));
        Assert.Equal(["a", "b", "c", "d"], list.ToArray());
    }

    [Fact]
    public void A_sparse_list_is_indexed_by_number_and_reports_the_numbers_that_exist()
    {
        var list = new SparseWeightList<string>([0, 1, 2, 60], ["a", "b", "c", "d"]);
        Assert.Equal("d", list[60]);
        Assert.True(list.ContainsKey(2));
        Assert.False(list.TryGetValue(3, out _));
        Assert.Equal([0, 1, 2, 60], list.Keys);
        Assert.Equal([new(0, "a"), new(1, "b"), new(2, "c"), new(60, "d")], list.ToArray());
        Assert.Equal("There is no item 5; there are 0..2,60.", Assert.Throws<KeyNotFoundException>(() => list[5]).Message);
        Assert.Throws<ArgumentException>(() => new SparseWeightList<string>([1, 1], ["a", "b"]));
        Assert.Throws<ArgumentException>(() => new SparseWeightList<string>([1], []));
    }
}
