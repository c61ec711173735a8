using System.Globalization;
using System.Text;

namespace TypedWeights.Generators.Emit;

/// <summary>Text as C# writes it.</summary>
internal static class Literals
{
    /// <summary>A string literal of printable ASCII; <c>null</c> for null.</summary>
    public static string String(string? text)
    {
        if (text is null)
        {
            return "null";
        }

        var literal = new StringBuilder(text.Length + 2).Append('"');
        foreach (char c in text)
        {
            if (c is '"' or '\\')
            {
                literal.Append('\\').Append(c);
            }
            else if (c is >= ' ' and < (char)0x7F)
            {
                literal.Append(c);
            }
            else
            {
                literal.Append("\\u").Append(((int)c).ToString("X4", CultureInfo.InvariantCulture));
            }
        }

        return literal.Append('"').ToString();
    }

    /// <summary>The quotes that open and close a raw literal of the text: one more than it has in a row.</summary>
    public static string RawQuotes(string text)
    {
        int most = 0;
        int run = 0;
        foreach (char c in text)
        {
            run = c == '"' ? run + 1 : 0;
            most = Math.Max(most, run);
        }

        return new string('"', Math.Max(3, most + 1));
    }

    /// <summary>Text inside an XML documentation comment. What XML cannot hold at all has been escaped before.</summary>
    public static string Xml(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}
