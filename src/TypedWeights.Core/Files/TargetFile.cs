namespace TypedWeights.Files;

/// <summary>A file that is to appear at once and whole, over whatever has its name.</summary>
internal static class TargetFile
{
    // The shortest names of files in stores that name them by a digest: of MD5's 32 digits, two may be the folder's.
    private const int DigestDigits = 30;

    private const UnixFileMode Permissions = (UnixFileMode)0x1ff;

    /// <summary>
    /// The file that a path means: where it is a symbolic link, the file it leads to, unless that lies in a store of files that are named by
    /// their content, as in the cache of Hugging Face. Others share such a file, and so the link is what is replaced.
    /// </summary>
    /// <exception cref="RefusedFileException">The path is a pipe or a device, or leads over a link that another user may have planted.</exception>
    /// <exception cref="IOException">The path is a folder, its folder does not exist, or its links lead in a circle.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not look into a folder on the way.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path);
        RefusePlantedLinks(path);
        string target = Follow(full);
        if (Directory.Exists(target))
        {
            throw new IOException($"{path} is a folder; give the name of a file in it.");
        }

        if (IsPipeOrDevice(target))
        {
            throw new RefusedFileException(path, "this is a pipe or device; give the name of a file");
        }

        if (Directory.Exists(Path.GetDirectoryName(target)))
        {
            return target;
        }

        throw Denial.OfSight(target) is { } denied
            ? new UnauthorizedAccessException($"{path}: {denied}.")
            : new DirectoryNotFoundException(
                MissingFolder.Explain(Path.GetDirectoryName(target)!) is { } reason
                    ? $"{path}: {reason}."
                    : $"There is no folder for {path}; make it first.");
    }

    /// <summary>
    /// Throws where a path leads over a link that another user may have planted, as Linux does for opening a file (protected_symlinks): in
    /// /tmp, whoever comes first could choose which of this user's files is replaced. Every link on the way counts, those to folders too.
    /// </summary>
    /// <exception cref="RefusedFileException">There is such a link.</exception>
    public static void RefusePlantedLinks(string path)
    {
        if (!LibC.IsSupported)
        {
            return;
        }

        foreach (PathWalk.Step step in PathWalk.Steps(Path.GetFullPath(path)))
        {
            if (step.Error == 0 && step.Facts.IsLink && IsPlanted(step.Path, step.Facts))
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
        catch (IOException e) when (MissingFolder.Explain(folder) is { } reason)
        {
            throw new IOException(reason + ".", e);
        }
    }

    /// <summary>
    /// The permissions that a file takes from the one that it replaces: a file that was its owner's alone stays so. Null for the system's own
    /// default: where no file is replaced, and where another user owns it, who could otherwise choose who may write to this user's file.
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

    /// <summary>Where a path in full ends, as <see cref="Of"/>; what is there is not looked at.</summary>
    /// <exception cref="IOException">Its links lead in a circle.</exception>
    public static string Follow(string full)
    {
        string at = full;
        for (int links = 0; new FileInfo(at).LinkTarget is { } target; links++)
        {
            if (links == PathWalk.MostLinks)
            {
                throw new IOException($"{full}: its symbolic links lead in a circle.");
            }

            // The store's folder may be a link itself: the name of a blob shows before it is followed.
            string folder = Path.GetDirectoryName(Resolve(at))!;
            string next = Path.Combine(folder, target);
            at = Resolve(next);
            if (IsNamedByContent(Path.GetFullPath(next)) || IsNamedByContent(at))
            {
                return full;
            }
        }

        return at;
    }

    // After a link to a folder, ".." is the parent of the folder that it leads to: only the system knows which one that is, and .NET's own
    // functions take the name away before they ask it.
    private static string Resolve(string path)
    {
        string name = Path.GetFileName(path);
        if (LibC.IsSupported && name is not ("" or "." or "..") && Path.GetDirectoryName(path) is { } folder)
        {
            try
            {
                return Path.Combine(LibC.RealPath(folder), name);
            }
            catch (IOException)
            {
                // There is no such folder, which the caller finds out.
            }
        }

        return Path.GetFullPath(path);
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

    private static bool IsNamedByContent(string target)
    {
        int digits = 0;
        foreach (char c in Path.GetFileName(target))
        {
            digits = char.IsAsciiHexDigit(c) ? digits + 1 : 0;
            if (digits == DigestDigits)
            {
                return true;
            }
        }

        // The hub's cache, whatever a mirror calls its files and the folders in it.
        for (string? folder = Path.GetDirectoryName(target); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.GetFileName(folder) == "blobs" && Directory.Exists(Path.Combine(Path.GetDirectoryName(folder)!, "snapshots")))
            {
                return true;
            }
        }

        return false;
    }

    // A rename would put a file in its place. What lies in /proc are files to the system, and cannot be replaced.
    private static bool IsPipeOrDevice(string target) =>
        LibC.IsSupported
        && ((LibC.TryFacts(target, out FileFacts facts, out _) && !facts.IsFile && !facts.IsLink)
            || target.StartsWith("/proc/", StringComparison.Ordinal));
}
