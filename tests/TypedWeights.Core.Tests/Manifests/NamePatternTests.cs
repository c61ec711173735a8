using TypedWeights.Manifests;

namespace TypedWeights.Tests.Manifests;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b.")]
    [InlineData("l.0.w l.1.w l.2.w")]
    [InlineData("l.0.w l.1.b l.2.w l.2.b")]
    [InlineData("0.0.0 0.0.1 0.1.0 0.1.1 1.0.0 7.7.7")]
    [InlineData("1.2 2.1 12 1.2.3 01.2 1.02 1234567890.1 999999999.1")]
    [InlineData("1.1.1.1.1.1.1.1.1.1 1.1.1.1.1.1.1.1.1.2 2.1.1.1.1.1.1.1.1.1")]
    [InlineData("{}.1 1.{} {1..2}.1 \\{}.1 {}.2")]
    public void Patterns_expand_to_exactly_the_names_that_they_were_made_from(string text)
    {
        string[] names = text.Split(' ');

        Assert.Equal(names.Order(StringComparer.Ordinal), Expand(Factor(names)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Patterns_of_random_names_expand_to_exactly_these_names()
    {
        var random = new Random(7);
        for (int round = 0; round < 200; round++)
        {
            string[] names =
            [
                .. Enumerable.Range(0, random.Next(1, 60))
                    .Select(_ => string.Join('.', Enumerable.Range(0, random.Next(1, 5)).Select(_ => "0123w"[random.Next(5)]))).Distinct(),
            ];

            Assert.Equal(names.Order(StringComparer.Ordinal), Expand(Factor(names)).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Numbers_with_the_same_remaining_name_share_one_pattern_in_the_order_of_their_first_name()
    {
        string[] names =
        [
            .. Enumerable.Range(0, 4).SelectMany(layer => Enumerable.Range(0, layer == 2 ? 1 : 3).Select(expert => $"l.{layer}.e.{expert}.w")),
            "head",
        ];

        Assert.Equal(["l.{0,1,3}.e.{0..2}.w", "l.2.e.0.w", "head"], Factor(names).Select(static pattern => pattern.ToString()));
    }

    [Fact]
    public void Names_without_a_pattern_take_less_than_twice_the_memory_of_their_entries_in_a_header()
    {
        const int Count = 100_000;
        const int Entry = 70;
        string[] names = [.. Enumerable.Range(0, Count).Select(i => $"{i * 7919L % 999_983}.{i * 104_729L % 999_979}.{i}")];
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(10, Factor(names).Take(10).Count());

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * Count * Entry);
    }

    private static IEnumerable<NamePattern> Factor(IEnumerable<string> names) =>
        NamePattern.Factor(names, ManifestText.Escape, CancellationToken.None);

    private static IEnumerable<string> Expand(IEnumerable<NamePattern> patterns) =>
        patterns.SelectMany(static pattern => PatternExpansion.Names(pattern.ToString()));
}
