using TypedWeights.Errors;

namespace TypedWeights.Tests.Errors;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("model.layers.0.weight", "\"model.layers.0.weight\"")]
    [InlineData("", "\"\"")]
    [InlineData("größe 重み 😀", "\"größe 重み 😀\"")]
    [InlineData("a\nb\t\u001b[31m", "\"a\\u{A}b\\u{9}\\u{1B}[31m\"")]
    [InlineData("a\u200bb\u202ec\ufeff", "\"a\\u{200B}b\\u{202E}c\\u{FEFF}\"")]
    [InlineData("a\u00a0b\u2028", "\"a\\u{A0}b\\u{2028}\"")]
    [InlineData("\U000E0041", "\"\\u{E0041}\"")]
    public void A_name_shows_what_cannot_be_seen(string name, string shown) => Assert.Equal(shown, Printable.Name(name));

    [Fact]
    public void Half_a_character_is_shown_as_its_number()
    {
        // Attributes cannot carry it.
        Assert.Equal("\"\\u{D800}x\\u{DC00}\"", Printable.Name("\ud800x\udc00"));
    }

    [Fact]
    public void A_long_name_keeps_its_ends_and_tells_its_length()
    {
        string shown = Printable.Name("begin" + new string('x', 1_000_000) + "end");
        Assert.StartsWith("\"beginxxx", shown, StringComparison.Ordinal);
        Assert.EndsWith("xxxend\"", shown, StringComparison.Ordinal);
        Assert.Contains("(1,000,008 characters)", shown, StringComparison.Ordinal);
        Assert.InRange(shown.Length, 100, 200);
    }

    [Fact]
    public void A_cut_never_halves_a_character()
    {
        for (int padding = 0; padding < 4; padding++)
        {
            string name = new string('x', padding) + string.Concat(Enumerable.Repeat("😀", 500));
            Assert.DoesNotContain("\\u{", Printable.Name(name), StringComparison.Ordinal);
            Assert.DoesNotContain("\\u{", Printable.Line(name + name + name), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_line_is_escaped_once_and_has_an_end()
    {
        string once = Printable.Line("a\n" + new string('\u202e', 5000));
        Assert.Equal(once, Printable.Line(once));
        Assert.InRange(once.Length, 1, 2000);
    }
}
