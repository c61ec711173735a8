using TypedWeights.Manifests;

namespace TypedWeights.Tests.Manifests;

public sealed class NameGlobTests
{
    [Theory]
    [InlineData("model.norm.weight", "model.norm.weight", true)]
    [InlineData("model.norm.weight", "model.norm.weights", false)]
    [InlineData("model.norm", "model.norm.weight", false)]
    [InlineData("model.layers.{0..15}.*", "model.layers.15.self_attn.q_proj.weight", true)]
    [InlineData("model.layers.{0..15}.*", "model.layers.16.self_attn.q_proj.weight", false)]
    [InlineData("model.layers.{0..1}.*", "model.layers.12.w", false)]
    [InlineData("model.layers.{1,12,3}.*", "model.layers.12.w", true)]
    [InlineData("model.layers.{1,12,3}.*", "model.layers.3.w", true)]
    [InlineData("model.layers.{1..9}.w", "model.layers.01.w", false)]
    [InlineData("h.{0..9}{0..9}", "h.12", false)]
    [InlineData("*.weight", "weight", false)]
    [InlineData("*weight", "weight", true)]
    [InlineData("*", "", true)]
    [InlineData("*.q_proj.*", "a.q_proj.b.q_proj.c", true)]
    [InlineData("*.{0..3}.*.{7}", "a.9.b.2.c.7", true)]
    [InlineData("\\{a\\}.\\u{2A}", "{a}.*", true)]
    [InlineData("\\{a\\}.\\u{2A}", "{a}.b", false)]
    [InlineData("Model.*", "model.x", false)]
    [InlineData("l.{0..999999999}.w", "l.999999999.w", true)]
    [InlineData("l.{0..999999999}.w", "l.1000000000.w", false)]
    [InlineData("*{1}*{2}", "a1b3c1d2", true)]
    [InlineData("*{12}", "a12", true)]
    [InlineData("*a*b*c", "abcabcab", false)]
    [InlineData("a*", "", false)]
    public void A_pattern_matches_exactly_the_names_that_it_describes(string pattern, string name, bool takes) =>
        Assert.Equal(takes, NameGlob.Parse(pattern).Matches(name));

    [Theory]
    [InlineData("l.{0..999999999}.{0..999999999}.*.{0..99999}")]
    [InlineData("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")]
    [InlineData("{0..9}{0..99}{0..999}{0..9999}{0..99999}")]
    public void A_short_pattern_that_stands_for_many_names_is_matched_without_much_memory(string pattern)
    {
        string name = new('a', 2000);
        _ = NameGlob.Parse(pattern).Matches(name);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.False(NameGlob.Parse(pattern).Matches(name));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.{0..3")]
    [InlineData("a.}")]
    [InlineData("a.{}")]
    [InlineData("a.{x}")]
    [InlineData("a.{3..0}")]
    [InlineData("a.{0..2000000000}")]
    [InlineData("a\\")]
    public void Text_that_is_not_a_valid_pattern_is_refused(string pattern) => Assert.Throws<FormatException>(() => NameGlob.Parse(pattern));

    [Fact]
    public void A_pattern_that_a_manifest_writes_matches_exactly_its_names()
    {
        string[] names = [.. Enumerable.Range(0, 40).SelectMany(i => new[] { $"l.{i}.{{x}}.w", $"l.{i}.e.{i % 3}.w", $"s {i}" })];

        foreach (NamePattern pattern in NamePattern.Factor(names, ManifestText.Escape, CancellationToken.None))
        {
            var glob = NameGlob.Parse(pattern.ToString());
            Assert.Equal(PatternExpansion.Names(pattern.ToString()).Order(), names.Where(glob.Matches).Order());
        }
    }
}
