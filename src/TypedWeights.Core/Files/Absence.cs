namespace TypedWeights.Files;

/// <summary>Explains why nothing can be opened at a path, if the reason is not simply that it does not exist.</summary>
/// <remarks>
/// To .NET a symbolic link whose target is missing is a file that is not found, although a listing of the folder shows it. All sentences are
/// without their full stop.
/// </remarks>
internal static class Absence
{
    /// <summary>Explains why a folder is missing, as <see cref="Of"/>; also if it is a file.</summary>
    public static string? OfFolder(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return Of(full, full.Replace('\\', '/')) ?? (File.Exists(full) ? $"{full} is not a folder" : null);
    }

    /// <summary>
    /// Explains it: a folder on the way that may not be searched, a link on the way whose target is missing, or a file where a folder should be.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="called">What the path is called in the sentence.</param>
    /// <returns>The sentence; null if none of these is the reason.</returns>
    public static string? Of(string path, string called = "this")
    {
        if (Denial.OfSight(path) is { } denied)
        {
            return denied;
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        try
        {
            for (string? at = full; at is not null; at = Path.GetDirectoryName(at))
            {
                var link = new FileInfo(at);
                if (link.LinkTarget is { } target)
                {
                    return OfLink(link, target, at == full ? called : at.Replace('\\', '/'));
                }

                if (Path.Exists(at))
                {
                    return at == full || Directory.Exists(at) ? null : $"{at} is not a folder";
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Opening it reports that this user may not look at it.
        }

        return null;
    }

    private static string? OfLink(FileInfo link, string target, string what)
    {
        FileSystemInfo final;
        try
        {
            final = link.ResolveLinkTarget(returnFinalTarget: true)!;
        }
        catch (IOException)
        {
            return $"{what} is a symbolic link that leads back to itself through {target}";
        }

        // Of links that lead to links, the last one's target is missing.
        string missing = final.FullName.Replace('\\', '/');
        string shown = target.Replace('\\', '/') == missing ? missing : $"{target} ({missing})";
        return final.Exists || Directory.Exists(final.FullName) ? null : $"{what} is a link whose target is missing: {shown}";
    }
}
