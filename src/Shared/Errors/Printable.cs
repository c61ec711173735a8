using System.Globalization;
using System.Text;

namespace TypedWeights.Errors;

/// <summary>
/// Makes text of a file safe to show. A tensor's name may be 100 MB long and have line breaks, terminal escapes or letters that reorder
/// the line; a message shows such characters as <c>\u{XX}</c> and shortens long text.
/// </summary>
internal static class Printable
{
    private const int LongestName = 120;
    private const int LongestLine = 2000;
    private const int MostLines = 100;

    /// <summary>A name in quotes; a long name without its middle.</summary>
    public static string Name(string name)
    {
        if (name.Length <= LongestName)
        {
            return "\"" + Escape(name) + "\"";
        }

        string length = name.Length.ToString("N0", CultureInfo.InvariantCulture);
        return "\"" + Escape(Head(name, 80)) + "\"…(" + length + " characters)…\"" + Escape(Tail(name, 30)) + "\"";
    }

    /// <summary>A whole message; a long message without its end. A second call changes nothing.</summary>
    public static string Line(string text) => Line(text, LongestLine);

    /// <summary>A text that is a part of a message, without its end if it is too long.</summary>
    public static string Line(string text, int longest)
    {
        // One character more than is shown, so that the cut is noticed below.
        string escaped = Escape(text.Length <= longest ? text : Head(text, longest + 1));
        return escaped.Length <= longest ? escaped : Head(escaped, longest - 1) + "…";
    }

    /// <summary>A whole message of several lines: at most 100 lines of at most 4,000 characters each.</summary>
    public static string Lines(string text)
    {
        string[] lines = text.Split('\n');
        IEnumerable<string> shown = lines.Take(MostLines).Select(static line => Line(line, 2 * LongestLine));
        return string.Join("\n", shown) + (lines.Length > MostLines ? "\n…" : "");
    }

    /// <summary>Text in which nothing is invisible, turns the reading direction, or ends a line.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="escapesMarks">Whether combining marks are escaped too, which a compiler may ignore.</param>
    public static string Escape(string text, bool escapesMarks = false)
    {
        StringBuilder? escaped = null;
        for (int i = 0, width; i < text.Length; i += width)
        {
            width = Width(text, i);
            if (MustEscape(text, i) || (escapesMarks && CharUnicodeInfo.GetUnicodeCategory(text, i) == UnicodeCategory.NonSpacingMark))
            {
                int value = width == 2 ? char.ConvertToUtf32(text, i) : text[i];
                escaped ??= new StringBuilder(text, 0, i, text.Length + 16);
                escaped.Append("\\u{").Append(value.ToString("X", CultureInfo.InvariantCulture)).Append('}');
            }
            else
            {
                escaped?.Append(text, i, width);
            }
        }

        return escaped?.ToString() ?? text;
    }

    /// <summary>Whether the character at an index does not show, looks like another character, or moves the text around it.</summary>
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
