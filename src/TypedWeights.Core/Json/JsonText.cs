using System.Globalization;
using System.Text;

namespace TypedWeights.Json;

/// <summary>
/// Writes strings as JSON that a person can read and a diff cannot be fooled by: letters of every script stay as they are, while what
/// cannot be seen (control, format and bidirectional characters, odd spaces) is escaped.
/// </summary>
internal static class JsonText
{
    /// <summary>Appends a string in double quotes. Half a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.</summary>
    public static StringBuilder AppendString(this StringBuilder json, string text)
    {
        json.Append('"');
        AppendEscaped(json, text, quotes: true);
        return json.Append('"');
    }

    /// <summary>
    /// Text for one line of a terminal: the same escapes, without quotes. A name with escape sequences in it must not drive the
    /// terminal of the person who looks at the file.
    /// </summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        AppendEscaped(line, text, quotes: false);
        return line.ToString();
    }

    private static void AppendEscaped(StringBuilder to, string text, bool quotes)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"' or '\\' when quotes:
                    to.Append('\\').Append((char)rune.Value);
                    break;
                case '\n':
                    to.Append("\\n");
                    break;
                case '\r':
                    to.Append("\\r");
                    break;
                case '\t':
                    to.Append("\\t");
                    break;
                default:
                    AppendRune(to, rune);
                    break;
            }
        }
    }

    private static void AppendRune(StringBuilder to, Rune rune)
    {
        Span<char> units = stackalloc char[2];
        ReadOnlySpan<char> written = units[..rune.EncodeToUtf16(units)];
        if (!IsInvisible(rune))
        {
            to.Append(written);
            return;
        }

        foreach (char unit in written)
        {
            to.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
        }
    }

    private static bool IsInvisible(Rune rune) => rune.Value is not (>= ' ' and < 0x7F)
        && (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator or UnicodeCategory.PrivateUse
            || IsFiller(rune.Value));

    // Letters and marks by category, yet drawn as nothing: the grapheme joiner, Hangul and Khmer fillers, variation selectors.
    private static bool IsFiller(int value) => value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F)
        or 0x3164 or 0xFFA0 or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);
}
