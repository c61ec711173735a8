namespace TypedWeights.Files;

/// <summary>
/// Names the file and the missing right where the system reports only "denied", and distinguishes a file that is missing from one that this
/// user may not see, which .NET does not.
/// </summary>
/// <remarks>All sentences are without their full stop; null means that nothing is denied, as far as can be seen.</remarks>
internal static class Denial
{
    /// <summary>Why this user cannot see whether there is a file or folder; of a link, whether there is what it leads to.</summary>
    public static string? OfSight(string path) => OfSight(PathWalk.EndOf(path));

    /// <summary>Why this user may not read a file, or list a folder.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="called">What the file is called in the sentence; a folder, and what a link leads to, is named.</param>
    public static string? OfRead(string path, string called = "it")
    {
        PathWalk.End end = PathWalk.EndOf(path);
        if (!end.Exists || !LibC.IsSupported || LibC.Has(end.Path, LibC.Right.Read))
        {
            return OfSight(end);
        }

        return end.Facts.IsFolder
            ? $"this user may not list the folder {end.Path} (read permission is missing)"
            : $"this user may not read {(end.IsLink ? end.Path : called)} (read permission is missing)";
    }

    /// <summary>Why this user may not list a folder or reach what is in it.</summary>
    public static string? OfUse(string folder) => OfRead(folder)
        ?? (LibC.IsSupported && Directory.Exists(folder) && !LibC.Has(folder, LibC.Right.Search) ? Search(folder) : null);

    /// <summary>
    /// Why this user may not make a file or folder, with the folders above it that are missing, or write to the file that is there.
    /// </summary>
    public static string? OfWrite(string path) => OfReplacement(path)
        ?? (LibC.IsSupported && Path.Exists(path) && !LibC.Has(path, LibC.Right.Write)
            ? $"this user may not write to {Path.GetFullPath(path)} (write permission is missing)"
            : null);

    /// <summary>
    /// As <see cref="OfWrite"/>, for a file that replaces the one that is there, whose rights do not matter. If the path is a link, the file is
    /// that of <see cref="TargetFile.Follow"/>.
    /// </summary>
    public static string? OfReplacement(string path)
    {
        string full = TargetFile.Follow(path).Path;
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

    private static string? OfSight(PathWalk.End end) =>
        end.IsDenied ? Search(Path.GetDirectoryName(end.Last.Path) ?? end.Last.Path) : null;

    private static string Search(string folder) => OperatingSystem.IsWindows()
        ? $"this user may not look into the folder {folder}"
        : $"this user may not search the folder {folder} (execute permission is missing)";
}
