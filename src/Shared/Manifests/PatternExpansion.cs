using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>The names that a written pattern stands for. The one reader of the escapes of <see cref="ManifestText"/>.</summary>
internal static class PatternExpansion
{
    /// <summary>Every name, the first number changing slowest. Each is made when it is asked for.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="most">The most names that it may stand for: a few characters can stand for a billion.</param>
    /// <exception cref="FormatException">
    /// The pattern is not one that <see cref="NamePattern"/> writes, or stands for more names.
    /// </exception>
    public static IEnumerable<string> Names(string pattern, long most = long.MaxValue)
    {
        if (most > 0 && pattern.IndexOfAny(['\\', '{', '}']) < 0)
        {
            return [pattern];
        }

        var literals = new List<string>();
        var places = new List<NumberRuns>();
        Parse(pattern, literals, places);
        decimal count = places.Aggregate(1m, static (product, numbers) => Math.Min(product * numbers.Count, long.MaxValue));
        return count > most
            ? throw new FormatException($"the pattern stands for {count} names, and there can be no more than {most}")
            : places.Count == 0 ? [literals[0]] : Expand(literals, places);
    }

    /// <summary>A token that holds no places.</summary>
    /// <exception cref="FormatException">It holds one, or an escape that there is not.</exception>
    public static string Unescape(string token)
    {
        var literals = new List<string>();
        var places = new List<NumberRuns>();
        Parse(token, literals, places);
        return places.Count == 0 ? literals[0] : throw new FormatException("a pattern where a single name must stand");
    }

    private static IEnumerable<string> Expand(List<string> literals, List<NumberRuns> places)
    {
        var name = new StringBuilder();
        var at = new long[places.Count];
        while (true)
        {
            name.Clear();
            for (int i = 0; i < places.Count; i++)
            {
                name.Append(literals[i]).Append(places[i][at[i]].ToString(CultureInfo.InvariantCulture));
            }

            yield return name.Append(literals[places.Count]).ToString();
            int place = places.Count - 1;
            while (place >= 0 && ++at[place] == places[place].Count)
            {
                at[place--] = 0;
            }

            if (place < 0)
            {
                yield break;
            }
        }
    }

    /// <summary>Takes a pattern apart.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="literals">Gets the text before each place, and that behind the last.</param>
    /// <param name="places">Gets for each place the numbers it takes; none where any text will do.</param>
    /// <param name="hasStars">Whether <c>*</c> is a place of any text, as where names are chosen; in a manifest it is itself.</param>
    /// <exception cref="FormatException">It is no pattern.</exception>
    public static void Parse(string pattern, List<string> literals, List<NumberRuns> places, bool hasStars = false)
    {
        var literal = new StringBuilder(pattern.Length);
        for (int i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i = ReadEscape(pattern, i + 1, literal);
                    break;
                case '{':
                    int close = pattern.IndexOf('}', i);
                    places.Add(NumberRuns.Parse(pattern, i + 1, Math.Max(close, i + 1), ','));
                    literals.Add(literal.ToString());
                    literal.Clear();
                    i = close;
                    break;
                case '}':
                    throw new FormatException("a closing brace that nothing opened");
                case '*' when hasStars:
                    places.Add(NumberRuns.None);
                    literals.Add(literal.ToString());
                    literal.Clear();
                    break;
                default:
                    literal.Append(pattern[i]);
                    break;
            }
        }

        literals.Add(literal.ToString());
    }

    // Returns the index of the escape's last character.
    private static int ReadEscape(string text, int at, StringBuilder to)
    {
        switch (at < text.Length ? text[at] : '\0')
        {
            case 'e':
                return at;
            case 's':
                to.Append(' ');
                return at;
            case '\\' or '{' or '}':
                to.Append(text[at]);
                return at;
            case 'u':
                if (TryReadHex(text, at + 1, out int code, out int close))
                {
                    // A lone surrogate is one unit, which ConvertFromUtf32 refuses.
                    to.Append(code <= char.MaxValue ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                    return close;
                }

                break;
        }

        throw new FormatException("an escape that manifests do not have");
    }

    // Reads {1F600}; the brace's place is the result's end.
    private static bool TryReadHex(string text, int open, out int code, out int close)
    {
        code = 0;
        close = open + 1;
        while (close < text.Length && text[close] != '}')
        {
            int digit = "0123456789ABCDEF".IndexOf(text[close]);
            if (digit < 0 || close > open + 6)
            {
                return false;
            }

            code = (code * 16) + digit;
            close++;
        }

        return close < text.Length && close > open + 1 && text[open] == '{' && code <= 0x10FFFF;
    }
}
