using System.Globalization;
using System.Text;
using TypedWeights.Errors;

namespace TypedWeights.Manifests;

/// <summary>The names that a written pattern stands for. The one reader of the escapes of <see cref="ManifestText"/>.</summary>
internal static class PatternExpansion
{
    // More than any model has; a typing error must not become gigabytes of numbers.
    private const int MostNumbers = 1 << 24;

    /// <summary>Every name, the first number changing slowest.</summary>
    /// <exception cref="FormatException">The pattern is not one that <see cref="NamePattern"/> writes.</exception>
    public static IEnumerable<string> Names(string pattern)
    {
        if (pattern.IndexOfAny(['\\', '{', '}']) < 0)
        {
            return [pattern];
        }

        var literals = new List<string>();
        var places = new List<int[]>();
        Parse(pattern, literals, places);
        return places.Count == 0 ? [literals[0]] : Expand(literals, places);
    }

    /// <summary>A token that holds no places.</summary>
    /// <exception cref="FormatException">It holds one, or an escape that there is not.</exception>
    public static string Unescape(string token)
    {
        var literals = new List<string>();
        var places = new List<int[]>();
        Parse(token, literals, places);
        return places.Count == 0 ? literals[0] : throw new FormatException("a pattern where a single name must stand");
    }

    /// <summary>Reads <c>0..4,60,61</c>; a layout may have tens of thousands of numbers, so no text is made of each.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static List<int> Numbers(string text, int start, int end, char separator)
    {
        var numbers = new List<int>();
        int at = start;
        while (true)
        {
            int first = Number(text, ref at, end);
            int last = first;
            if (at + 1 < end && text[at] == '.' && text[at + 1] == '.')
            {
                at += 2;
                last = Number(text, ref at, end);
            }

            if (last < first || last - first >= MostNumbers - numbers.Count)
            {
                throw new FormatException($"{first}..{last} is no range of numbers, or too long");
            }

            for (int i = first; i <= last; i++)
            {
                numbers.Add(i);
            }

            if (at == end)
            {
                return numbers;
            }

            if (text[at++] != separator)
            {
                throw new FormatException($"{Printable.Name(text[at - 1].ToString())} among numbers");
            }
        }
    }

    private static IEnumerable<string> Expand(List<string> literals, List<int[]> places)
    {
        var name = new StringBuilder();
        var at = new int[places.Count];
        while (true)
        {
            name.Clear();
            for (int i = 0; i < places.Count; i++)
            {
                name.Append(literals[i]).Append(places[i][at[i]].ToString(CultureInfo.InvariantCulture));
            }

            yield return name.Append(literals[places.Count]).ToString();
            int place = places.Count - 1;
            while (place >= 0 && ++at[place] == places[place].Length)
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
    public static void Parse(string pattern, List<string> literals, List<int[]> places, bool hasStars = false)
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
                    places.Add([.. Numbers(pattern, i + 1, Math.Max(close, i + 1), ',')]);
                    literals.Add(literal.ToString());
                    literal.Clear();
                    i = close;
                    break;
                case '}':
                    throw new FormatException("a closing brace that nothing opened");
                case '*' when hasStars:
                    places.Add([]);
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

    private static int Number(string text, ref int at, int end)
    {
        int start = at;
        long number = 0;
        while (at < end && text[at] is >= '0' and <= '9' && number <= int.MaxValue)
        {
            number = (number * 10) + (text[at++] - '0');
        }

        return at > start && number < int.MaxValue ? (int)number : throw new FormatException("a number is missing or too large");
    }
}
