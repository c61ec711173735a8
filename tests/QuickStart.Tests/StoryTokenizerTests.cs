namespace QuickStart.Tests;

public sealed class StoryTokenizerTests
{
    private static readonly StoryTokenizer Tokenizer = StoryTokenizer.Load(Path.Combine(StoryFixture.Folder, "vocab.txt"));

    [Theory]
    [InlineData("Once there was a shy fox named Nora.")]
    [InlineData("Nora was sad. “What is wrong, Nora?” asked Pip. “I am afraid,” she said. “Do not cry. I have wings.” They laughed.")]
    [InlineData("“Hooray!” shouted Tom. He hugged Ida.\n\nThat night Tom slept very well.")]
    public void A_text_is_unchanged_after_encoding_and_decoding(string text) =>
        Assert.Equal(text, string.Concat(Tokenizer.Decode(Tokenizer.Encode(text))));

    [Fact]
    public void Straight_quotes_are_read_as_typographic_ones() =>
        Assert.Equal(Tokenizer.Encode("“Thank you!” said Tom."), Tokenizer.Encode("\"Thank you!\" said Tom."));

    [Fact]
    public void Every_encoded_text_begins_with_the_begin_token() => Assert.Equal([Tokenizer.Begin], Tokenizer.Encode(""));

    [Fact]
    public void One_error_names_all_words_outside_the_vocabulary()
    {
        var e = Assert.Throws<ArgumentException>(() => Tokenizer.Encode("A quantum fox met a neural bear."));
        Assert.Contains("quantum, neural", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_that_contains_a_marker_token_is_refused() => Assert.Throws<ArgumentException>(() => Tokenizer.Encode("Once </s>"));
}
