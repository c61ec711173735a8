namespace TypedWeights.Files;

/// <summary>A symbolic link whose target is missing. To .NET it is a file that is not found, and whoever lists the folder sees it.</summary>
internal static class DanglingLink
{
    /// <summary>Explains a path that cannot be opened: it, or a folder on its way, may be such a link.</summary>
    /// <param name="path">The path in full.</param>
    /// <param name="called">What the path is called in the sentence.</param>
    /// <returns>
    /// The end of a sentence about the path, without its full stop; null where no such link is the reason. Where this user may not see whether
    /// the target is missing, it says so.
    /// </returns>
    public static string? Explain(string path, string called = "this")
    {
        if (Denial.OfSight(path) is { } denied)
        {
            return denied;
        }

        try
        {
            for (string? at = Path.TrimEndingDirectorySeparator(path); at is not null; at = Path.GetDirectoryName(at))
            {
                var link = new FileInfo(at);
                if (link.LinkTarget is { } target)
                {
                    bool isPathItself = at.Length >= Path.TrimEndingDirectorySeparator(path).Length;
                    return Explain(link, target, isPathItself ? called : link.FullName.Replace('\\', '/'));
                }

                if (Directory.Exists(at))
                {
                    return null;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Who may not look at it is told so when it is opened.
        }

        return null;
    }

    private static string? Explain(FileInfo link, string target, string what)
    {
        FileSystemInfo final;
        try
        {
            final = link.ResolveLinkTarget(returnFinalTarget: true)!;
        }
        catch (IOException)
        {
            return $"{what} is a link that leads back to itself, by {target}";
        }

        // Of links that lead to links, the last one's target is missing.
        string missing = final.FullName.Replace('\\', '/');
        string shown = target.Replace('\\', '/') == missing ? missing : $"{target} ({missing})";
        return final.Exists || Directory.Exists(final.FullName) ? null : $"{what} is a link whose target is missing: {shown}";
    }
}
