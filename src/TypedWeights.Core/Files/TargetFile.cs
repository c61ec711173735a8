namespace TypedWeights.Files;

/// <summary>A file that is to appear at once and whole, over whatever has its name.</summary>
internal static class TargetFile
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    // The shortest names of files in stores that name them by a digest: of MD5's 32 digits, two may be the folder's.
    private const int DigestDigits = 30;

    private const uint Root = 0;
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
        string target = Follow(full, path);
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
            : new DirectoryNotFoundException($"There is no folder for {path}; make it first.");
    }

    /// <summary>The permissions of the file that is there: one that was its owner's alone stays so. Null for the system's own default.</summary>
    public static UnixFileMode? ModeOf(string target) =>
        !OperatingSystem.IsWindows() && File.Exists(target) ? File.GetUnixFileMode(target) & Permissions : null;

    private static string Follow(string full, string path)
    {
        string at = full;
        for (int links = 0; new FileInfo(at).LinkTarget is { } target; links++)
        {
            if (links == MostLinks)
            {
                throw new IOException($"{path}: its symbolic links lead in a circle.");
            }

            RefuseLinkOfOthers(at, path);
            at = Resolve(Path.Combine(Path.GetDirectoryName(at)!, target));
        }

        return at != full && IsNamedByContent(at) ? full : at;
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

    // As Linux does for opening (protected_symlinks): in /tmp, whoever comes first could choose which of this user's files is replaced.
    private static void RefuseLinkOfOthers(string link, string path)
    {
        if (LibC.IsSupported
            && LibC.TryFacts(Path.GetDirectoryName(link)!, out FileFacts folder, out _) && folder.OthersMayWrite
            && LibC.TryFacts(link, out FileFacts facts, out _)
            && facts.Owner != LibC.EffectiveUser() && facts.Owner != folder.Owner && facts.Owner != Root)
        {
            throw new RefusedFileException(
                path,
                $"{link} is a symbolic link of another user (uid {facts.Owner}) in a folder that everybody may write to; choose another name");
        }
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

        // The hub's cache, whatever a mirror calls its files.
        string folder = Path.GetDirectoryName(target)!;
        return Path.GetFileName(folder) == "blobs" && Directory.Exists(Path.Combine(folder, "..", "snapshots"));
    }

    // A rename would put a file in its place. What lies in /proc are files to the system, and cannot be replaced.
    private static bool IsPipeOrDevice(string target) =>
        LibC.IsSupported
        && ((LibC.TryFacts(target, out FileFacts facts, out _) && !facts.IsFile && !facts.IsLink)
            || target.StartsWith("/proc/", StringComparison.Ordinal));
}
