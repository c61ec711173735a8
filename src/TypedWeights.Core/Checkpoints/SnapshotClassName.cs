using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>The C# class name that a snapshot gets where none is given.</summary>
/// <remarks>
/// The rule, which must not change once snapshots are about:
/// <list type="number">
/// <item>The name is the last part of the source's path. Instead of a file name that says nothing (<c>model.safetensors</c>,
/// <c>diffusion_pytorch_model.safetensors.index.json</c>) its folder is used; <c>resolve/&lt;revision&gt;</c> and
/// <c>snapshots/&lt;revision&gt;</c> before it are passed over, and <c>models--org--name</c> is <c>name</c>.</item>
/// <item><c>.safetensors</c>, <c>.index.json</c>, an <c>@revision</c> and a last version such as <c>-v0.1</c> are dropped.</item>
/// <item>What is neither letter nor digit parts words; each word starts with a capital and keeps the rest of its letters. Two
/// digits that would meet are kept apart by an underscore, and a name that starts with a digit gets <c>Model</c> before it.</item>
/// </list>
/// <c>hf://mistralai/Mistral-7B-v0.1</c> is <c>Mistral7B</c>, <c>gpt2.safetensors</c> is <c>Gpt2</c>, <c>Llama-3.1-8B/</c> is
/// <c>Llama3_1_8B</c>; with nothing to go by it is <c>Model</c>.
/// </remarks>
internal static partial class SnapshotClassName
{
    private const string Fallback = "Model";

    private static readonly HashSet<string> SaysNothing = new(StringComparer.OrdinalIgnoreCase)
    {
        "model", "pytorch_model", "diffusion_pytorch_model", "adapter_model", "consolidated", "weights",
    };

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal",
        "default", "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for",
        "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null",
        "object", "operator", "out", "override", "params", "private", "protected", "public", "readonly", "ref", "return", "sbyte",
        "sealed", "short", "sizeof", "stackalloc", "static", "string", "struct", "switch", "this", "throw", "true", "try", "typeof",
        "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void", "volatile", "while",
    };

    /// <summary>The name for a source.</summary>
    /// <param name="uri">Where the weights are.</param>
    /// <returns>A C# identifier that is not a keyword.</returns>
    public static string For(WeightUri uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string name = TrailingVersion().Replace(Spoken(uri), "");
        string identifier = PascalCase(name);
        return identifier.Length == 0 ? Fallback : char.IsDigit(identifier[0]) ? Fallback + identifier : identifier;
    }

    /// <summary>Whether a text can be the name of a class: an identifier that is not a keyword.</summary>
    /// <param name="name">The text.</param>
    public static bool IsValid(string name) => !string.IsNullOrEmpty(name)
        && (name[0] == '_' || char.IsLetter(name[0]))
        && name.All(static c => c == '_' || IsWordCharacter(c))
        && !Keywords.Contains(name);

    // The part of the source that says what it is.
    private static string Spoken(WeightUri uri)
    {
        List<string> parts = [.. PathOf(uri).Split('/').Where(part => part is not ("" or "." or ".."))];
        string last = parts.Count == 0 ? "" : WithoutExtension(parts[^1]);
        if (parts.Count > 1 && last != parts[^1] && SaysNothing.Contains(ShardNumber().Replace(last, "")))
        {
            parts.RemoveAt(parts.Count - 1);
            if (parts.Count > 2 && parts[^2] is "resolve" or "snapshots")
            {
                parts.RemoveRange(parts.Count - 2, 2);
            }

            last = parts[^1];
        }

        // Folders of the Hugging Face cache are called models--organisation--name.
        last = last.StartsWith("models--", StringComparison.Ordinal)
            ? last[(last.LastIndexOf("--", StringComparison.Ordinal) + 2)..]
            : last;
        return uri.Scheme == "hf" ? last.Split('@')[0] : last;
    }

    // What follows the host. In hf:// and file:// all of it is path.
    private static string PathOf(WeightUri uri)
    {
        if (uri.IsPath)
        {
            return uri.Display;
        }

        string rest = uri.Display[(uri.Scheme.Length + "://".Length)..].Split('?')[0];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        return uri.Scheme is "hf" or "file" ? rest : slash < 0 ? "" : rest[slash..];
    }

    private static string WithoutExtension(string name)
    {
        foreach (string extension in (ReadOnlySpan<string>)[".safetensors.index.json", ".index.json", ".safetensors"])
        {
            if (name.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            {
                return name[..^extension.Length];
            }
        }

        return name;
    }

    private static string PascalCase(string name)
    {
        var identifier = new StringBuilder(name.Length);
        bool wordStarts = true;
        foreach (char c in name)
        {
            if (!IsWordCharacter(c) || (identifier.Length == 0 && !char.IsLetterOrDigit(c)))
            {
                wordStarts = true;
                continue;
            }

            if (wordStarts && identifier.Length > 0 && char.IsDigit(c) && char.IsDigit(identifier[^1]))
            {
                identifier.Append('_');
            }

            identifier.Append(wordStarts ? char.ToUpperInvariant(c) : c);
            wordStarts = false;
        }

        return identifier.ToString();
    }

    // A letter, a digit, or a mark that C# allows inside an identifier.
    private static bool IsWordCharacter(char c) => char.IsLetterOrDigit(c)
        || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.LetterNumber;

    [GeneratedRegex(@"[-_.]v[0-9]+(\.[0-9]+)+$", RegexOptions.CultureInvariant)]
    private static partial Regex TrailingVersion();

    [GeneratedRegex(@"-[0-9]+-of-[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardNumber();
}
