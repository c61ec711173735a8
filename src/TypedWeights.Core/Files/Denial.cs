namespace TypedWeights.Files;

/// <summary>
/// Says which file it is and which right is missing where the system says no more than "denied"; and tells a file that is not there from
/// one that this user may not see, which .NET does not.
/// </summary>
/// <remarks>All sentences are without their full stop; null means that nothing is denied, as far as can be seen.</remarks>
internal static class Denial
{
    private const int MostLinks = 40;

    /// <summary>Why this user cannot see whether there is a file or folder.</summary>
    public static string? OfSight(string path)
    {
        if (IsVisible(path))
        {
            return null;
        }

        string? folder = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        while (folder is not null && !IsVisible(folder))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Search(folder ?? path);
    }

    /// <summary>Why this user may not read a file, or list a folder.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="called">What the file is called in the sentence; a folder, and what a link leads to, is named.</param>
    public static string? OfRead(string path, string called = "it") => OfRead(Path.GetFullPath(path), called, MostLinks);

    /// <summary>Why this user may not list a folder or reach what is in it.</summary>
    public static string? OfUse(string folder) => OfRead(folder)
        ?? (LibC.IsSupported && Directory.Exists(folder) && !LibC.Has(folder, LibC.Right.Search) ? Search(folder) : null);

    /// <summary>Why this user may not make, replace or write to a file or folder, with the folders above it that are not there yet.</summary>
    public static string? OfWrite(string path) => OfReplacement(path)
        ?? (LibC.IsSupported && Path.Exists(path) && !LibC.Has(path, LibC.Right.Write)
            ? $"this user may not write to {Path.GetFullPath(path)} (write permission is missing)"
            : null);

    /// <summary>
    /// Why this user may not put another file in the place of one, or make one where there is none: the file's own permissions do not matter.
    /// </summary>
    public static string? OfReplacement(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (OfSight(full) is { } hidden)
        {
            return hidden;
        }

        string? folder = Path.GetDirectoryName(full);
        while (folder is not null && !Path.Exists(folder))
        {
            (full, folder) = (folder, Path.GetDirectoryName(folder));
        }

        if (!LibC.IsSupported || folder is null)
        {
            return null;
        }

        if (!LibC.Has(folder, LibC.Right.Write) || !LibC.Has(folder, LibC.Right.Search))
        {
            string right = LibC.Has(folder, LibC.Right.Write) ? "execute" : "write";
            return $"this user may not write to the folder {folder} ({right} permission is missing)";
        }

        if (!Path.Exists(full))
        {
            return null;
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

        if (links > 0 && new FileInfo(full).LinkTarget is { } target)
        {
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
