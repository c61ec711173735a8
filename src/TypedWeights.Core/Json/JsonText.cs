using System.Globalization;
using System.Text;
using TypedWeights.Errors;

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
        for (int i = 0; i < text.Length; i++)
        {
            int width = char.IsSurrogatePair(text, i) ? 2 : 1;
            if (text[i] is '"' or '\\')
            {
                json.Append('\\').Append(text[i]);
            }
            else if (!Printable.MustEscape(text, i))
            {
                json.Append(text, i, width);
            }
            else if (width == 1)
            {
                AppendEscape(json, char.IsSurrogate(text[i]) ? '\uFFFD' : text[i]);
            }
            else
            {
                AppendEscape(json, text[i]);
                AppendEscape(json, text[i + 1]);
            }

            i += width - 1;
        }

        return json.Append('"');
    }

    private static void AppendEscape(StringBuilder json, char unit)
    {
        _ = unit switch
        {
            '\n' => json.Append("\\n"),
            '\r' => json.Append("\\r"),
            '\t' => json.Append("\\t"),
            _ => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}"),
        };
    }
}
