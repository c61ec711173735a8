using TypedWeights.Format;

namespace TypedWeights.Tests.Format;

public class TensorIndexTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(5000)]
    public void Every_name_is_found_after_the_list_has_grown_and_was_sorted(int capacity)
    {
        var tensors = new List<TensorInfo>(capacity);
        var index = new TensorIndex(tensors);
        for (int i = 0; i < 3000; i++)
        {
            Assert.False(index.Contains($"t.{i}"));
            index.Add(Tensor($"t.{i}", i));
            Assert.True(index.Contains($"t.{i / 2}"));
        }

        tensors.Sort((a, b) => b.Begin.CompareTo(a.Begin));
        index.Rebuild();

        Assert.Equal(3000, tensors.Count);
        Assert.All(Enumerable.Range(0, 3000), i => Assert.Equal(i, index[$"t.{i}"]!.Begin));
        Assert.Null(index["t.3000"]);
        Assert.False(index.Contains(""));
    }

    private static TensorInfo Tensor(string name, long begin) => new(name, DType.U8, new TensorShape(1), begin, begin + 1);
}
