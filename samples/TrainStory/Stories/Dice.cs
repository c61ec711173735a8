using System.Text;
using System.Text.RegularExpressions;

namespace TrainStory.Stories;

/// <summary>Makes every choice of the sentence maker, so that one seed always produces the same stories.</summary>
internal sealed partial class Dice(int seed)
{
    private readonly Random _random = new(seed);

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    public bool Chance(double probability) => _random.NextDouble() < probability;

    /// <summary>
    /// Replaces each <c>[this|that]</c> (which may be nested) by one of its alternatives, writes "an" before a vowel, and starts sentences
    /// with a capital.
    /// </summary>
    public string Say(string template)
    {
        int at = 0;
        string text = Sequence(template, ref at, keep: true);
        text = ArticleBeforeVowel().Replace(Blanks().Replace(text, " ").Trim(), "an ");
        return SentenceStart().Replace(text, match => match.Value.ToUpperInvariant());
    }

    private string Sequence(string template, ref int at, bool keep)
    {
        var text = new StringBuilder();
        while (at < template.Length && template[at] is not ('|' or ']'))
        {
            if (template[at] != '[')
            {
                text.Append(template[at++]);
                continue;
            }

            int chosen = _random.Next(Alternatives(template, at));
            for (int i = 0; template[at] != ']'; i++)
            {
                at++;
                string alternative = Sequence(template, ref at, keep && i == chosen);
                text.Append(i == chosen ? alternative : null);
            }

            at++;
        }

        return keep ? text.ToString() : "";
    }

    private static int Alternatives(string template, int open)
    {
        int depth = 0, count = 1;
        for (int i = open; ; i++)
        {
            depth += template[i] switch { '[' => 1, ']' => -1, _ => 0 };
            count += depth == 1 && template[i] == '|' ? 1 : 0;
            if (depth == 0)
            {
                return count;
            }
        }
    }

    [GeneratedRegex(@"(?:^|“|[.!?] |\.” )[a-z]")]
    private static partial Regex SentenceStart();

    [GeneratedRegex(@"\ba (?=[aeiou])")]
    private static partial Regex ArticleBeforeVowel();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Blanks();
}
