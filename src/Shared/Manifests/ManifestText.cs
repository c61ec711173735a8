using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>
/// The words of a manifest and its escapes. A manifest is lines of printable ASCII, so that it can stand in a C# raw literal whatever
/// the names hold; <c>docs/generator.md</c> has the grammar.
/// </summary>
internal static class ManifestText
{
    /// <summary>The first line; another version is refused.</summary>
    public const string Header = "typedweights 1";

    public const string Source = "source";
    public const string Revision = "revision";
    public const string Index = "index";
    public const string File = "file";
    public const string Tensor = "tensor";
    public const string Digest = "digest";
    public const string Tie = "tie";
    public const string Layout = "layout";

    /// <summary>In a layout: the data lies in the order of the reference's writer, widest dtype first, then by name.</summary>
    public const string Sorted = "sorted";

    /// <summary>Stands for a value that is absent.</summary>
    public const string None = "-";

    /// <summary>Writes any text as one token.</summary>
    public static string Escape(string text)
    {
        if (text.Length == 0)
        {
            return "\\e";
        }

        if (text == None)
        {
            return "\\u{2D}";
        }

        StringBuilder? escaped = null;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool plain = c is > ' ' and < (char)0x7F and not ('\\' or '{' or '}');
            if (plain)
            {
                escaped?.Append(c);
                continue;
            }

            escaped ??= new StringBuilder(text, 0, i, text.Length + 16);
            switch (c)
            {
                case ' ':
                    escaped.Append("\\s");
                    break;
                case '\\' or '{' or '}':
                    escaped.Append('\\').Append(c);
                    break;
                default:
                    bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
                    int code = pair ? char.ConvertToUtf32(c, text[++i]) : c;
                    escaped.Append("\\u{").Append(code.ToString("X", CultureInfo.InvariantCulture)).Append('}');
                    break;
            }
        }

        return escaped?.ToString() ?? text;
    }
}
