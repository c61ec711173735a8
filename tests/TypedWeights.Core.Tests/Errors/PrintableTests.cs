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
    public void Invisible_characters_of_a_name_are_shown_as_escapes(string name, string shown) => Assert.Equal(shown, Printable.Name(name));

    [Fact]
    public void An_unpaired_surrogate_is_shown_as_its_code_point()
    {
        // Attributes cannot carry it.
        Assert.Equal("\"\\u{D800}x\\u{DC00}\"", Printable.Name("\ud800x\udc00"));
    }

    [Fact]
    public void A_long_name_is_cut_in_the_middle_and_shows_its_length()
    {
        string shown = Printable.Name("begin" + new string('x', 1_000_000) + "end");
        Assert.StartsWith("\"beginxxx", shown, StringComparison.Ordinal);
        Assert.EndsWith("xxxend\"", shown, StringComparison.Ordinal);
        Assert.Contains("(1,000,008 characters)", shown, StringComparison.Ordinal);
        Assert.InRange(shown.Length, 100, 200);
    }

    [Fact]
    public void Cutting_a_text_never_splits_a_surrogate_pair()
    {
        for (int padding = 0; padding < 4; padding++)
        {
            string name = new string('x', padding) + string.Concat(Enumerable.Repeat("😀", 500));
            Assert.DoesNotContain("\\u{", Printable.Name(name), StringComparison.Ordinal);
            Assert.DoesNotContain("\\u{", Printable.Line(name + name + name), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_line_is_escaped_only_once_and_its_length_is_bounded()
    {
        string once = Printable.Line("a\n" + new string('\u202e', 5000));
        Assert.Equal(once, Printable.Line(once));
        Assert.InRange(once.Length, 1, 2000);
    }

    [Fact]
    public void A_message_of_several_lines_keeps_its_line_breaks_and_the_length_of_each_line_is_bounded()
    {
        string shown = Printable.Lines("a\u001b[31m\n  b\u202e\n" + new string('x', 100_000) + string.Concat(Enumerable.Repeat("\ny", 10_000)));

        string[] lines = shown.Split('\n');
        Assert.Equal(["a\\u{1B}[31m", "  b\\u{202E}"], lines[..2]);
        Assert.True(lines.Length <= 101 && lines.All(line => line.Length <= 4000), shown);
    }

    [Fact]
    public void Every_WeightsException_has_a_printable_message_of_bounded_length()
    {
        var error = new WeightsException("folder/\u001b]0;title\u0007: " + new string('x', 1_000_000));

        Assert.StartsWith("folder/\\u{1B}]0;title\\u{7}: xxx", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1, 4000);
    }

    [Fact]
    public void A_mismatch_shows_tensor_names_without_control_characters_and_with_bounded_length()
    {
        string evil = "a\u001b[2J\n" + new string('n', 1_000_000);
        string shown = new WeightMismatch(MismatchKind.Missing, evil, "F32 [1]", null, evil).ToString();

        Assert.DoesNotContain(shown, char.IsControl);
        Assert.InRange(shown.Length, 1, 1000);
    }

    [Theory]
    [InlineData("tensor LONG [1] a")]
    [InlineData("tensor F32 LONG a")]
    [InlineData("tensor F32 [LONG] a")]
    [InlineData("tensor F32 [1] a.{0LONG}")]
    [InlineData("file LONG 1 - a")]
    [InlineData("digest LONG")]
    [InlineData("LONG")]
    public void A_manifest_that_cannot_be_read_is_reported_in_one_printable_line_of_bounded_length(string line)
    {
        string text = "typedweights 1\nsource a\n" + line.Replace("LONG", "\u001b\u202e" + new string('x', 1_000_000), StringComparison.Ordinal);

        FormatException error = Assert.ThrowsAny<FormatException>(() => WeightManifest.Parse(System.Text.Encoding.UTF8.GetBytes(text)));

        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.DoesNotContain('\u202e', error.Message);
        Assert.InRange(error.Message.Length, 1, 1000);
        Assert.Contains("line 3", error.Message, StringComparison.Ordinal);
    }
}
