namespace TypedWeights.Format;

/// <summary>
/// The check of a shard's name. An index is untrusted text, and the name is joined to a path or a URL: it may go down into folders and
/// nowhere else.
/// </summary>
internal static class ShardName
{
    private const int LongestName = 1024;

    /// <summary>Explains why a name is refused.</summary>
    /// <returns>The end of a sentence that begins with "it", or null for a safe name.</returns>
    public static string? Refuse(string name)
    {
        if (name.Length is 0 or > LongestName)
        {
            return name.Length == 0 ? "is empty" : $"is longer than {LongestName} characters";
        }

        if (name.Any(char.IsControl))
        {
            return "contains a control character";
        }

        // '%' and '?' and '#' mean something else in a URL than on disk, and "%2e%2e" is a way up there.
        int odd = name.AsSpan().IndexOfAny("\\:%?#");
        if (odd >= 0)
        {
            return name[odd] == ':'
                ? "holds ':', as a URL or a drive does"
                : $"holds '{name[odd]}', which has a special meaning in a path or URL";
        }

        foreach (string segment in name.Split('/'))
        {
            if (segment is "" or "." or "..")
            {
                return segment == ".." ? "is outside the folder" : "is not a plain relative path";
            }
        }

        return null;
    }
}
