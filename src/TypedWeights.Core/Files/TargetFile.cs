namespace TypedWeights.Files;

/// <summary>A file that will appear at once and whole, and replace an existing file of its name.</summary>
internal static class TargetFile
{
    // The shortest names of files in stores that name them by a digest: of MD5's 32 digits, two may be the folder's.
    private const int DigestDigits = 30;

    private const UnixFileMode Permissions = (UnixFileMode)0x1ff;

    /// <summary>
    /// The file that a path means: if it is a symbolic link, the file it leads to, unless that lies in a store of files that are named by
    /// their content, as in the cache of Hugging Face. Others share such a file, and so the link is what is replaced.
    /// </summary>
    /// <exception cref="RefusedFileException">The path is a pipe or a device, or leads over a link that another user may have planted.</exception>
    /// <exception cref="IOException">The path is a folder, its folder does not exist, or its links lead in a circle.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not look into a folder on the way.</exception>
    public static string Of(string path)
    {
        RefusePlantedLinks(path);
        PathWalk.End end = Follow(path);
        if (end.IsDenied)
        {
            throw new UnauthorizedAccessException($"{path}: {Denial.OfSight(path)}.");
        }

        if (end.IsCircle)
        {
            throw new IOException($"{path}: its symbolic links form a circle.");
        }

        if (!end.HasFolder)
        {
            throw new DirectoryNotFoundException(
                Absence.OfFolder(Path.GetDirectoryName(Path.GetFullPath(path))!) is { } reason
                    ? $"{path}: {reason}."
                    : $"The folder of {path} does not exist; create it first.");
        }

        if (end.Exists && end.Facts.IsFolder)
        {
            throw new IOException($"{path} is a folder; give the name of a file in it.");
        }

        // A rename would put a file in its place. The files in /proc are files to the system, and cannot be replaced.
        if ((end.Exists && !end.Facts.IsFile) || end.Path.StartsWith("/proc/", StringComparison.Ordinal))
        {
            throw new RefusedFileException(path, "this is a pipe or device; give the name of a file");
        }

        return end.Path;
    }

    /// <summary>
    /// Throws if a path leads over a link that another user may have planted, as Linux does for opening a file (protected_symlinks): in
    /// /tmp, the first user to make the link could choose which of this user's files is replaced. Every link on the way counts, those to folders too.
    /// </summary>
    /// <exception cref="RefusedFileException">The path has such a link.</exception>
    public static void RefusePlantedLinks(string path)
    {
        foreach (PathWalk.Step step in PathWalk.Steps(Path.GetFullPath(path)))
        {
            if (LibC.IsSupported && step.Error == 0 && step.Facts.IsLink && IsPlanted(step.Path, step.Facts))
            {
                throw new RefusedFileException(
                    path,
                    $"{step.Path} is a symbolic link of another user (uid {step.Facts.Owner}) in a folder that everybody may write to; "
                        + "choose another name");
            }
        }
    }

    /// <summary>Makes the folder in which a file is to be, with those above it.</summary>
    /// <exception cref="RefusedFileException">The path leads over a link that another user may have planted.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not make it.</exception>
    public static void MakeFolderOf(string path)
    {
        RefusePlantedLinks(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (IOException e) when (Absence.OfFolder(folder) is { } reason)
        {
            throw new IOException(reason + ".", e);
        }
    }

    /// <summary>
    /// The permissions that a file takes from the one that it replaces: a file that was its owner's alone stays so. Null for the system's
    /// default: if no file is replaced, and if another user owns it, who could otherwise choose who may write to this user's file.
    /// </summary>
    public static UnixFileMode? ModeOf(string target)
    {
        if (OperatingSystem.IsWindows() || !OwnFile.IsFile(target))
        {
            return null;
        }

        if (!LibC.IsSupported)
        {
            // Who owns the file is not known there.
            return File.GetUnixFileMode(target) & Permissions;
        }

        return LibC.TryFacts(target, out FileFacts facts, out _) && facts.IsFile && facts.IsThisUsersOrRoots
            ? (UnixFileMode)facts.Mode & Permissions
            : null;
    }

    /// <summary>Where a path ends, as <see cref="Of"/>; anything may be there.</summary>
    public static PathWalk.End Follow(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        PathWalk.Step? link = null;
        foreach (PathWalk.Step step in PathWalk.Steps(full))
        {
            // The store's folder may be a link itself: the name of a blob shows before it is followed.
            if (link is { } first && IsNamedByContent(step))
            {
                return new PathWalk.End(full, first with { Facts = FileFacts.Of(isFolder: false, isLink: false) }, IsLink: false);
            }

            link ??= step.IsLast && step.Facts.IsLink ? step : null;
        }

        return PathWalk.EndOf(full);
    }

    private static bool IsPlanted(string link, FileFacts facts)
    {
        if (facts.IsThisUsersOrRoots)
        {
            return false;
        }

        // A folder that another user made in such a place serves as well as a link: that user chooses the links in it.
        for (string at = link; Path.GetDirectoryName(at) is { } folder; at = folder)
        {
            if (LibC.TryFacts(folder, out FileFacts outer, out _) && outer.OthersMayWrite
                && LibC.TryFacts(at, out FileFacts inner, out _)
                && !inner.IsThisUsersOrRoots && inner.Owner != outer.Owner)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNamedByContent(PathWalk.Step step)
    {
        int digits = 0;
        foreach (char c in step.IsLast ? Path.GetFileName(step.Path) : "")
        {
            digits = char.IsAsciiHexDigit(c) ? digits + 1 : 0;
            if (digits == DigestDigits)
            {
                return true;
            }
        }

        // The hub's cache, whatever a mirror calls its files and the folders in it.
        for (string? at = step.Path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Path.GetFileName(at) == "blobs" && Directory.Exists(Path.Combine(Path.GetDirectoryName(at)!, "snapshots")))
            {
                return true;
            }
        }

        return false;
    }
}
