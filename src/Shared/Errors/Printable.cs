using System.Globalization;
using System.Text;

namespace TypedWeights.Errors;

/// <summary>
/// Makes text of a file fit to be shown. A tensor's name may be 100 MB long, hold line breaks, terminal escapes or letters that reorder
/// the line; a message shows such characters as <c>\u{XX}</c> and shortens what is long.
/// </summary>
internal static class Printable
{
    private const int LongestName = 120;
    private const int LongestLine = 2000;
    private const int MostLines = 100;

    /// <summary>A name in quotes, its middle left out where it is long.</summary>
    public static string Name(string name)
    {
        if (name.Length <= LongestName)
        {
            return "\"" + Escape(name) + "\"";
        }

        string length = name.Length.ToString("N0", CultureInfo.InvariantCulture);
        return "\"" + Escape(Head(name, 80)) + "\"…(" + length + " characters)…\"" + Escape(Tail(name, 30)) + "\"";
    }

    /// <summary>A whole message, its end left out where it is long. Doing it twice changes nothing.</summary>
    public static string Line(string text) => Line(text, LongestLine);

    /// <summary>A text that is a part of a message, its end left out where it is longer than it may be there.</summary>
    public static string Line(string text, int longest)
    {
        // One more than is shown, so that what is cut is known to be.
        string escaped = Escape(text.Length <= longest ? text : Head(text, longest + 1));
        return escaped.Length <= longest ? escaped : Head(escaped, longest - 1) + "…";
    }

    /// <summary>A whole message of several lines: no more of them than fill a screen or two, none longer than two lines of the others.</summary>
    public static string Lines(string text)
    {
        string[] lines = text.Split('\n');
        IEnumerable<string> shown = lines.Take(MostLines).Select(static line => Line(line, 2 * LongestLine));
        return string.Join("\n", shown) + (lines.Length > MostLines ? "\n…" : "");
    }

    private static string Escape(string text)
    {
        int first = 0;
        while (first < text.Length && !MustEscape(text, first))
        {
            first += Width(text, first);
        }

        if (first == text.Length)
        {
            return text;
        }

        var escaped = new StringBuilder(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i += Width(text, i))
        {
            if (MustEscape(text, i))
            {
                int value = Width(text, i) == 2 ? char.ConvertToUtf32(text, i) : text[i];
                escaped.Append("\\u{").Append(value.ToString("X", CultureInfo.InvariantCulture)).Append('}');
            }
            else
            {
                escaped.Append(text, i, Width(text, i));
            }
        }

        return escaped.ToString();
    }

    /// <summary>Whether the character at an index does not show, shows as something else, or moves what stands around it.</summary>
    public static bool MustEscape(string text, int index) => text[index] is not (>= ' ' and <= '~')
        && (Width(text, index) == 1 && char.IsSurrogate(text[index])
            || IsFiller(text[index])
            || CharUnicodeInfo.GetUnicodeCategory(text, index) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    // Letters and marks by category, yet drawn as nothing: the grapheme joiner, Hangul and Khmer fillers, variation selectors.
    private static bool IsFiller(char c) => c is '\u034F' or '\u115F' or '\u1160' or '\u17B4' or '\u17B5' or '\u3164' or '\uFFA0'
        or (>= '\u180B' and <= '\u180F') or (>= '\uFE00' and <= '\uFE0F');

    private static int Width(string text, int index) => char.IsSurrogatePair(text, index) ? 2 : 1;

    // A cut never falls between the halves of a surrogate pair.
    private static string Head(string text, int length) =>
        text.Substring(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length);

    private static string Tail(string text, int length) =>
        text.Substring(text.Length - (char.IsLowSurrogate(text[text.Length - length]) ? length - 1 : length));
}
