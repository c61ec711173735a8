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
        using var writer = new StringWriter(json, CultureInfo.InvariantCulture);
        writer.WriteString(text);
        return json;
    }

    /// <summary>Writes a string in double quotes, without a copy of it: it may be a hundred megabytes long.</summary>
    public static void WriteString(this TextWriter json, string text)
    {
        json.Write('"');
        for (int i = 0; i < text.Length; i++)
        {
            bool isEscaped = text[i] is '"' or '\\' || Printable.MustEscape(text, i);
            bool isPair = char.IsSurrogatePair(text, i);
            WriteUnit(json, !isPair && char.IsSurrogate(text[i]) ? '\uFFFD' : text[i], isEscaped);
            if (isPair)
            {
                WriteUnit(json, text[++i], isEscaped);
            }
        }

        json.Write('"');
    }

    /// <summary>Writes a whole number, whatever the culture of the writer is.</summary>
    public static void WriteNumber(this TextWriter json, ulong number) => json.Write(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes whole numbers as an array.</summary>
    public static void WriteNumbers(this TextWriter json, ReadOnlySpan<ulong> numbers, string separator)
    {
        json.Write('[');
        for (int i = 0; i < numbers.Length; i++)
        {
            json.Write(i == 0 ? "" : separator);
            json.WriteNumber(numbers[i]);
        }

        json.Write(']');
    }

    private static void WriteUnit(TextWriter json, char unit, bool isEscaped)
    {
        if (!isEscaped)
        {
            json.Write(unit);
            return;
        }

        json.Write(unit switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => "\\u" + ((int)unit).ToString("x4", CultureInfo.InvariantCulture),
        });
    }
}
