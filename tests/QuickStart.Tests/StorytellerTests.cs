namespace QuickStart.Tests;

[Collection(StoryFixture.Collection)]
public sealed class StorytellerTests(StoryFixture story)
{
    [Fact]
    public void A_story_ends_by_itself_and_keeps_its_hero()
    {
        string text = Tell(seed: 1);

        Assert.StartsWith("Once upon a time", text, StringComparison.Ordinal);
        Assert.EndsWith(".", text, StringComparison.Ordinal);
        Assert.InRange(StoryTokenizer.Split(text).Count(), 80, 300);
        string hero = text.Split(["named ", "called "], StringSplitOptions.None)[1].Split('.')[0];
        Assert.Equal(3, text.Split("\n\n").Length);
        Assert.All(text.Split("\n\n"), paragraph => Assert.Contains(hero, paragraph, StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_seed_tells_the_same_story_and_another_seed_tells_another()
    {
        Assert.Equal(Tell(seed: 5), Tell(seed: 5));
        Assert.NotEqual(Tell(seed: 5), Tell(seed: 6));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void A_story_has_no_more_tokens_than_requested(int count)
    {
        Storyteller teller = NewTeller();
        Assert.Equal(count + 1, teller.Tell("Once", seed: 1, count).Count());
        Assert.Equal(count, teller.TokensWritten);
    }

    [Fact]
    public void A_story_never_exceeds_the_maximum_length_of_the_model()
    {
        string prompt = string.Concat(Enumerable.Repeat("Once ", story.Config.MaxPositionEmbeddings - 4));
        Assert.InRange(NewTeller().Tell(prompt, seed: 1, count: 100).Count(), prompt.Length / 5, story.Config.MaxPositionEmbeddings - 1);
    }

    [Fact]
    public void A_prompt_with_unknown_words_is_refused_before_the_first_word() =>
        Assert.Throws<ArgumentException>(() => NewTeller().Tell("The quantum fox", seed: 1, count: 5));

    private Storyteller NewTeller() => new(story.Model, story.Config, story.Tokenizer);

    private string Tell(int seed) => string.Concat(NewTeller().Tell("Once upon a time", seed, count: 300));
}
