using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>The names that a written pattern stands for. The one reader of the escapes of <see cref="ManifestText"/>.</summary>
internal static class PatternExpansion
{
    /// <summary>Every name, the first number changing slowest. Each name is made when the caller reaches it.</summary>
    /// <exception cref="FormatException">The pattern is not one that <see cref="NamePattern"/> writes.</exception>
    public static IEnumerable<string> Names(string pattern)
    {
        var literals = new List<string>();
        var places = new List<NumberRuns>();
        Parse(pattern, literals, places);
        return places.Zip(literals.Skip(1), static (place, literal) => (place, literal)).Aggregate(
            (IEnumerable<string>)[literals[0]],
            static (names, next) => names.SelectMany(
                _ => next.place.Numbers, (name, number) => name + number.ToString(CultureInfo.InvariantCulture) + next.literal));
    }

    /// <summary>The text of a token without places.</summary>
    /// <exception cref="FormatException">The token has a place, or an escape that does not exist.</exception>
    public static string Unescape(string token)
    {
        var literals = new List<string>();
        var places = new List<NumberRuns>();
        Parse(token, literals, places);
        return places.Count == 0 ? literals[0] : throw new FormatException("a pattern instead of a single name");
    }

    /// <summary>Splits a pattern into literals and places.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="literals">Gets the text before each place, and the text behind the last place.</param>
    /// <param name="places">Gets the numbers of each place; no numbers for a star.</param>
    /// <param name="hasStars">Whether <c>*</c> is a place of any text, as in a <see cref="NameGlob"/>; in a manifest it is a character.</param>
    /// <exception cref="FormatException">The text is not a pattern.</exception>
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
                    throw new FormatException("a closing brace without an opening brace");
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
                const int MostDigits = 6;
                int open = at + 1, close = text.IndexOf('}', at);
                string digits = close > open && text[open] == '{' ? text.Substring(open + 1, close - open - 1) : "";
                if (digits.Length <= MostDigits
                    && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                    && code <= 0x10FFFF)
                {
                    // A lone surrogate is one unit, which ConvertFromUtf32 refuses.
                    to.Append(code <= char.MaxValue ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                    return close;
                }

                break;
        }

        throw new FormatException("an escape that manifests do not support");
    }
}
