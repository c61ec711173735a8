using System.Text.RegularExpressions;

namespace QuickStart;

/// <summary>
/// Tokens are whole words and punctuation marks, one on each line of <c>vocab.txt</c>; the line number is the id of the token. Only names
/// and "I" have a capital there: the first letter of a sentence becomes a small letter in <see cref="Encode"/> and a capital in
/// <see cref="Decode"/>.
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

    /// <summary>Returns the ids of a text, after the token that begins every story.</summary>
    /// <exception cref="ArgumentException">The text has words that are not in the vocabulary of the model.</exception>
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
            : throw new ArgumentException($"These words are not among the {_words.Length} that the model knows: {string.Join(", ", unknown)}.");
    }

    /// <summary>Returns the text piece by piece, each piece as soon as its token is known.</summary>
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

    /// <summary>
    /// Returns words, punctuation and paragraph breaks. Straight quotes become opening and closing quotes of the vocabulary by turns.
    /// </summary>
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
