using System.Globalization;
using Microsoft.CodeAnalysis.CSharp;

namespace TypedWeights.Generators.Naming;

/// <summary>Raw names as words and as C# identifiers. The rules are in <c>docs/generator.md</c>.</summary>
internal static class Identifiers
{
    // Metadata allows 1,023 bytes, accessor prefixes and suffixes included; that is too long to read.
    private const int MostCharacters = 100;
    private const int KeptCharacters = 80;

    /// <summary>
    /// The words of a raw name: split at characters that an identifier cannot contain, at underscores, and before a capital after a small letter.
    /// </summary>
    /// <returns>Words that start with a capital letter; empty for a name without any letter or digit.</returns>
    public static string[] Words(string raw)
    {
        var words = new List<string>();
        int start = -1;
        for (int i = 0; i <= raw.Length; i++)
        {
            bool part = i < raw.Length && IsWordPart(raw[i]);
            bool hump = part && start >= 0 && char.IsUpper(raw[i]) && char.IsLower(raw[i - 1]);
            if (start >= 0 && (!part || hump))
            {
                words.Add(Capitalised(raw.Substring(start, i - start)));
                start = -1;
            }

            if (part && start < 0)
            {
                start = i;
            }
        }

        return [.. words];
    }

    /// <summary>A property's name, before it is compared with its neighbours.</summary>
    public static string Pascal(string raw)
    {
        string[] words = Words(raw);
        if (words.Length == 0)
        {
            return "_" + StableHash.Suffix(raw);
        }

        string name = Joined(words);
        return name.Length <= MostCharacters ? name : name.Substring(0, KeptCharacters) + "_" + StableHash.Suffix(raw);
    }

    /// <summary>The words as one identifier.</summary>
    public static string Joined(IEnumerable<string> words)
    {
        string name = string.Concat(words);
        return SyntaxFacts.IsIdentifierStartCharacter(name[0]) ? name : "_" + name;
    }

    /// <summary>The name of a class, shortened to a length that metadata allows.</summary>
    public static string Shortened(string name) =>
        name.Length <= MostCharacters ? name : name.Substring(0, KeptCharacters) + "_" + StableHash.Suffix(name);

    /// <summary>The words of one item of a list: <c>layers</c> → Layer, <c>h</c> → HItem.</summary>
    public static string[] Singular(string[] words)
    {
        if (words.Length == 0)
        {
            return ["Item"];
        }

        string last = words[words.Length - 1];
        string? singular = SingularOf(last);
        string[] item = singular is null ? [.. words, "Item"] : [.. words];
        if (singular is not null)
        {
            item[item.Length - 1] = singular;
        }

        return item;
    }

    /// <summary>A name of the user's own as C# writes it.</summary>
    public static string Written(string name) =>
        SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None || SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None
            ? "@" + name
            : name;

    private static string? SingularOf(string word)
    {
        bool Ends(string end) => word.Length > end.Length + 1 && word.EndsWith(end, StringComparison.Ordinal);
        if (Ends("ies"))
        {
            return word.Substring(0, word.Length - 3) + "y";
        }

        if (Ends("sses") || Ends("ches") || Ends("shes") || Ends("xes"))
        {
            return word.Substring(0, word.Length - 2);
        }

        return Ends("s") && !Ends("ss") && !Ends("us") && !Ends("is") && !Ends("as") ? word.Substring(0, word.Length - 1) : null;
    }

    // Combining marks would let two names look the same, formatting characters are ignored by the compiler's comparison, and a
    // surrogate is not an identifier character to it.
    private static bool IsWordPart(char c) =>
        c != '_' && SyntaxFacts.IsIdentifierPartCharacter(c) && char.GetUnicodeCategory(c) is not (
            UnicodeCategory.ConnectorPunctuation or UnicodeCategory.Format or UnicodeCategory.NonSpacingMark);

    private static string Capitalised(string word) => char.ToUpperInvariant(word[0]) + word.Substring(1);
}
