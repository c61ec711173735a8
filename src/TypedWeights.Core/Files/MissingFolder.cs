namespace TypedWeights.Files;

/// <summary>Why there is no folder where somebody expects one, where it is more than that nobody has made it.</summary>
internal static class MissingFolder
{
    /// <summary>Explains it: a link on the way that leads nowhere, a file in its place or above it, or a folder that may not be searched.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>A sentence without its full stop; null where nothing stands in the way.</returns>
    public static string? Explain(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (DanglingLink.Explain(full, full.Replace('\\', '/')) is { } reason)
        {
            return reason;
        }

        string? at = full;
        while (at is not null && !Path.Exists(at))
        {
            at = Path.GetDirectoryName(at);
        }

        return at is null || Directory.Exists(at) ? null : $"{at} is not a folder";
    }
}
