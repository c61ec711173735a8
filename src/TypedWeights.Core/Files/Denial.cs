namespace TypedWeights.Files;

/// <summary>
/// Says which file it is and which right is missing where the system says no more than "denied"; and tells a file that is not there from
/// one that this user may not see, which .NET does not.
/// </summary>
/// <remarks>All sentences are without their full stop; null means that nothing is denied, as far as can be seen.</remarks>
internal static class Denial
{
    /// <summary>Why this user cannot see whether there is a file or folder; of a link, whether there is what it leads to.</summary>
    public static string? OfSight(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (LibC.IsSupported)
        {
            PathWalk.Step last = PathWalk.Steps(full).Last();
            return last.Error == LibC.Denied ? Search(Path.GetDirectoryName(last.Path) ?? last.Path) : null;
        }

        if (IsVisible(full))
        {
            return null;
        }

        string? folder = Path.GetDirectoryName(full);
        while (folder is not null && !IsVisible(folder))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Search(folder ?? path);
    }

    /// <summary>Why this user may not read a file, or list a folder.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="called">What the file is called in the sentence; a folder, and what a link leads to, is named.</param>
    public static string? OfRead(string path, string called = "it") => OfRead(Path.GetFullPath(path), called, PathWalk.MostLinks);

    /// <summary>Why this user may not list a folder or reach what is in it.</summary>
    public static string? OfUse(string folder) => OfRead(folder)
        ?? (LibC.IsSupported && Directory.Exists(folder) && !LibC.Has(folder, LibC.Right.Search) ? Search(folder) : null);

    /// <summary>
    /// Why this user may not make a file or folder, with the folders above it that are not there yet, or write to the file that is there.
    /// </summary>
    public static string? OfWrite(string path) => OfReplacement(path)
        ?? (LibC.IsSupported && Path.Exists(path) && !LibC.Has(path, LibC.Right.Write)
            ? $"this user may not write to {Path.GetFullPath(path)} (write permission is missing)"
            : null);

    /// <summary>
    /// As <see cref="OfWrite"/>, for a file that is put in the place of the one that is there: its own rights do not matter. Where the path is
    /// a link, the file is that of <see cref="TargetFile.Follow"/>.
    /// </summary>
    public static string? OfReplacement(string path)
    {
        string full;
        try
        {
            full = TargetFile.Follow(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        }
        catch (IOException)
        {
            // Its links lead in a circle, and nothing is denied.
            return null;
        }

        string? folder = Path.GetDirectoryName(full);
        if (folder is not null && OfSight(folder) is { } hidden)
        {
            return hidden;
        }

        while (folder is not null && !Path.Exists(folder))
        {
            (full, folder) = (folder, Path.GetDirectoryName(folder));
        }

        if (!LibC.IsSupported || folder is null)
        {
            return null;
        }

        if (!LibC.Has(folder, LibC.Right.Search))
        {
            return Search(folder);
        }

        if (!LibC.Has(folder, LibC.Right.Write))
        {
            return $"this user may not write to the folder {folder} (write permission is missing)";
        }

        // What is sticky keeps the files of others from being replaced, also by those who may write to the folder.
        uint user = LibC.EffectiveUser();
        return LibC.TryFacts(folder, out FileFacts outer, out _) && LibC.TryFacts(full, out FileFacts facts, out _)
            && outer.IsSticky && user != 0 && facts.Owner != user && outer.Owner != user
                ? $"this user may not replace {full}: it belongs to another user (uid {facts.Owner}), and the folder {folder} is sticky"
                : null;
    }

    private static string? OfRead(string full, string called, int links)
    {
        if (OfSight(full) is { } hidden)
        {
            return hidden;
        }

        if (new FileInfo(full).LinkTarget is { } target)
        {
            if (links == 0)
            {
                // They lead in a circle, and nothing is denied.
                return null;
            }

            string next = Path.GetFullPath(target, Path.GetDirectoryName(full)!);
            return OfRead(next, next, links - 1);
        }

        if (!LibC.IsSupported || !Path.Exists(full) || LibC.Has(full, LibC.Right.Read))
        {
            return null;
        }

        return Directory.Exists(full)
            ? $"this user may not list the folder {full} (read permission is missing)"
            : $"this user may not read {called} (read permission is missing)";
    }

    private static string Search(string folder) => OperatingSystem.IsWindows()
        ? $"this user may not look into the folder {folder}"
        : $"this user may not search the folder {folder} (execute permission is missing)";

    // File.Exists gives false for both; this one tells them apart.
    private static bool IsVisible(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ArgumentException)
        {
            return true;
        }
    }
}
