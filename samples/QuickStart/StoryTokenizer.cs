using System.Text.RegularExpressions;

namespace QuickStart;

/// <summary>
/// Whole words and punctuation, one to a line in <c>vocab.txt</c>; the line number is the token's id. Only names and "I" are kept with
/// a capital: a sentence's first letter is put down when reading and put up when writing.
/// </summary>
public sealed partial class StoryTokenizer
{
    public const string BeginText = "<s>";
    public const string EndText = "</s>";
    public const string Paragraph = "<p>";

    private readonly string[] _words;
    private readonly Dictionary<string, int> _ids;

    public StoryTokenizer(IEnumerable<string> words)
    {
        _words = [.. words];
        _ids = _words.Select((word, id) => (word, id)).ToDictionary(pair => pair.word, pair => pair.id, StringComparer.Ordinal);
    }

    public static StoryTokenizer Load(string path) => new(File.ReadLines(path));

    public void Save(string path) => File.WriteAllText(path, string.Join('\n', _words) + "\n");

    public IReadOnlyList<string> Words => _words;

    public int Begin => _ids[BeginText];

    public int End => _ids[EndText];

    /// <summary>The ids of a text, after the token that begins every story.</summary>
    /// <exception cref="ArgumentException">The model knows only the words of its vocabulary, and these are others.</exception>
    public List<int> Encode(string text)
    {
        List<int> ids = [Begin];
        List<string> unknown = [];
        foreach (string word in Split(text))
        {
            if (_ids.TryGetValue(word, out int id) || _ids.TryGetValue(word.ToLowerInvariant(), out id))
            {
                ids.Add(id);
            }
            else
            {
                unknown.Add(word);
            }
        }

        return unknown.Count == 0
            ? ids
            : throw new ArgumentException($"Not among the {_words.Length} words that the model knows: {string.Join(", ", unknown)}.");
    }

    /// <summary>Text piece by piece, each as soon as its token comes.</summary>
    public IEnumerable<string> Decode(IEnumerable<int> ids)
    {
        string before = "", last = "";
        foreach (string word in ids.Select(id => _words[id]).Where(word => word is not (BeginText or EndText)))
        {
            bool starts = last is "" or Paragraph or "“" or "." or "!" or "?" || (last == "”" && before == ".");
            bool joins = last is "" or Paragraph or "“" || word is "." or "," or "!" or "?" or "”";
            yield return word == Paragraph ? "\n\n" : (joins ? "" : " ") + (starts ? char.ToUpperInvariant(word[0]) + word[1..] : word);
            (before, last) = (last, word);
        }
    }

    /// <summary>Words, punctuation and paragraph breaks; straight quotes become the typographic ones of the vocabulary, in turn.</summary>
    public static IEnumerable<string> Split(string text)
    {
        bool open = false;
        foreach (Match match in Token().Matches(text))
        {
            open ^= match.Value == "\"";
            yield return match.Value switch
            {
                "\"" => open ? "“" : "”",
                ['\n', ..] => Paragraph,
                string word => word,
            };
        }
    }

    [GeneratedRegex(@"\n+|\w+|[^\w\s]")]
    private static partial Regex Token();
}
