namespace TypedWeights.Generators.Naming;

/// <summary>Finds one name for a class that has several.</summary>
internal static class CommonName
{
    private const int FewNames = 3;
    private static readonly char[] Digits = [.. "0123456789"];
    private const int ShortestCommonEnd = 3;
    private const int LongestTogether = 24;

    /// <summary>
    /// What the names have in common: all of it, all but a number at the end, their common trailing words, or their common trailing letters.
    /// </summary>
    /// <returns>Null if they have nothing in common.</returns>
    public static string? Agreed(IReadOnlyList<string[]> names)
    {
        if (names.Count == 0 || names.Any(static words => words.Length == 0))
        {
            return null;
        }

        string[] whole = [.. names.Select(static words => string.Concat(words)).Distinct(StringComparer.Ordinal)];
        if (whole.Length == 1)
        {
            return Identifiers.Joined(whole);
        }

        string[] unnumbered = [.. whole.Select(static name => name.TrimEnd(Digits)).Distinct(StringComparer.Ordinal)];
        if (unnumbered.Length == 1 && unnumbered[0].Length > 0)
        {
            return Identifiers.Joined(unnumbered);
        }

        int words = CommonWords(names);
        if (words > 0)
        {
            return Identifiers.Joined(names[0].Skip(names[0].Length - words));
        }

        string end = CommonEnd(whole);
        return end.Length >= ShortestCommonEnd ? Identifiers.Joined([char.ToUpperInvariant(end[0]) + end.Substring(1)]) : null;
    }

    /// <summary>A few names joined, with their common end once: k_proj and v_proj → KVProj.</summary>
    /// <returns>Null if there are too many, or they are too long.</returns>
    public static string? Together(IReadOnlyList<string[]> names)
    {
        if (names.Count is < 2 or > FewNames || names.Any(static words => words.Length == 0))
        {
            return null;
        }

        int common = CommonWords(names);
        IEnumerable<string> heads = names
            .Select(words => string.Concat(words.Take(words.Length - common)))
            .OrderBy(static head => head, StringComparer.Ordinal);
        string together = Identifiers.Joined([.. heads, .. names[0].Skip(names[0].Length - common)]);
        return together.Length <= LongestTogether ? together : null;
    }

    /// <summary>The shortest of many names, marked as one of several.</summary>
    public static string Shortest(IReadOnlyList<string[]> names)
    {
        string? shortest = names.Where(static words => words.Length > 0).Select(static words => Identifiers.Joined(words))
            .OrderBy(static name => name.Length).ThenBy(static name => name, StringComparer.Ordinal).FirstOrDefault();
        return shortest is null ? "Group" : names.Count == 1 ? shortest : shortest + "Etc";
    }

    private static int CommonWords(IReadOnlyList<string[]> names)
    {
        int count = 0;
        while (names.All(words => count < words.Length && words[words.Length - 1 - count] == names[0][names[0].Length - 1 - count]))
        {
            count++;
        }

        return count;
    }

    private static string CommonEnd(string[] names)
    {
        int length = 0;
        while (Array.TrueForAll(names, name => length < name.Length
            && char.ToUpperInvariant(name[name.Length - 1 - length]) == char.ToUpperInvariant(names[0][names[0].Length - 1 - length])))
        {
            length++;
        }

        // Not from the middle of a number or a pair of letters that happen to agree.
        string end = names.OrderBy(static name => name, StringComparer.Ordinal).First();
        end = end.Substring(end.Length - length);
        return end.Length > 0 && char.IsLetter(end[0]) ? end : "";
    }
}
