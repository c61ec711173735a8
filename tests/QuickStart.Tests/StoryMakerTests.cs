using TrainStory.Stories;
using TrainStory.Training;

namespace QuickStart.Tests;

/// <summary>The sentence maker, and that it and the model in the repository belong together.</summary>
public sealed class StoryMakerTests
{
    private static readonly StoryTokenizer Tokenizer = StoryTokenizer.Load(Path.Combine(StoryFixture.Folder, "vocab.txt"));
    private static readonly LlamaConfig Config = LlamaConfig.Load(Path.Combine(StoryFixture.Folder, "config.json"));

    [Fact]
    public void The_vocabulary_of_the_model_equals_that_of_the_sentence_maker()
    {
        Assert.Equal(Vocabulary.Collect().Words, Tokenizer.Words);
        Assert.Equal(Config.VocabSize, Tokenizer.Words.Count);
    }

    [Fact]
    public void The_same_seed_tells_the_same_stories_and_another_seed_tells_others()
    {
        Assert.Equal(Stories(seed: 7, 20), Stories(seed: 7, 20));
        Assert.Empty(Stories(seed: 7, 20).Intersect(Stories(seed: 8, 20)));
    }

    [Fact]
    public void Every_story_survives_the_tokenizer_unchanged_and_fits_the_model() => Assert.All(Stories(seed: 9, 1000), story =>
    {
        List<int> tokens = Tokenizer.Encode(story);
        Assert.Equal(story.Replace("\n", "\n\n", StringComparison.Ordinal), string.Concat(Tokenizer.Decode(tokens)));
        Assert.InRange(tokens.Count, 100, Config.MaxPositionEmbeddings - 1);
    });

    [Fact]
    public void A_story_contains_no_unresolved_choice_and_no_wrong_article() => Assert.All(Stories(seed: 10, 1000), story =>
        Assert.DoesNotMatch(@"[\[\]|{}]|\b[Aa] [aeiou]|\ban [^aeiouh]|  | [.,!?”]|“ |[.!?] [a-z]", story));

    [Fact]
    public void A_story_has_as_many_opening_quotes_as_closing_ones() => Assert.All(Stories(seed: 11, 1000), story =>
        Assert.Equal(story.Count(c => c == '“'), story.Count(c => c == '”')));

    private static List<string> Stories(int seed, int count)
    {
        var maker = new StoryMaker(seed);
        return [.. Enumerable.Range(0, count).Select(_ => maker.Tell())];
    }
}
