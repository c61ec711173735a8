using QuickStart;
using TrainStory.Stories;

namespace TrainStory.Training;

/// <summary>Every word that the sentence maker uses.</summary>
internal static class Vocabulary
{
    /// <summary>Enough stories for the rarest choice to occur many times.</summary>
    private const int Stories = 20_000;

    public static StoryTokenizer Collect()
    {
        HashSet<string> capitals = ["I", .. Character.Girls, .. Character.Boys];
        var maker = new StoryMaker(seed: 0);
        IEnumerable<string> words = Enumerable.Range(0, Stories)
            .SelectMany(_ => StoryTokenizer.Split(maker.Tell()))
            .Where(word => word != StoryTokenizer.Paragraph)
            .Select(word => capitals.Contains(word) ? word : word.ToLowerInvariant())
            .Distinct()
            .Order(StringComparer.Ordinal);
        return new StoryTokenizer([StoryTokenizer.BeginText, StoryTokenizer.EndText, StoryTokenizer.Paragraph, .. words]);
    }
}
