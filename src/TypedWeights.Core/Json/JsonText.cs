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

    /// <summary>Writes a string likewise, without a copy of it: it may be a hundred megabytes long.</summary>
    public static void WriteString(this TextWriter json, string text)
    {
        json.Write('"');
        int plain = 0;
        for (int i = 0; i < text.Length; i++)
        {
            int width = char.IsSurrogatePair(text, i) ? 2 : 1;
            if (text[i] is '"' or '\\' || Printable.MustEscape(text, i))
            {
                json.Write(text.AsSpan(plain, i - plain));
                plain = i + width;
                WriteEscape(json, width == 1 && char.IsSurrogate(text[i]) ? '\uFFFD' : text[i]);
                if (width == 2)
                {
                    WriteEscape(json, text[i + 1]);
                }
            }

            i += width - 1;
        }

        json.Write(text.AsSpan(plain));
        json.Write('"');
    }

    /// <summary>Writes a whole number, whatever the culture of the writer is.</summary>
    public static void WriteNumber(this TextWriter json, ulong number)
    {
        Span<char> digits = stackalloc char[20];
        _ = number.TryFormat(digits, out int length, default, CultureInfo.InvariantCulture);
        json.Write(digits[..length]);
    }

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

    private static void WriteEscape(TextWriter json, char unit)
    {
        switch (unit)
        {
            case '"' or '\\':
                json.Write('\\');
                json.Write(unit);
                break;
            case '\n':
                json.Write("\\n");
                break;
            case '\r':
                json.Write("\\r");
                break;
            case '\t':
                json.Write("\\t");
                break;
            default:
                json.Write("\\u");
                json.Write(((int)unit).ToString("x4", CultureInfo.InvariantCulture));
                break;
        }
    }
}
