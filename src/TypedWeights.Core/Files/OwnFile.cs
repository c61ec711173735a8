using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// Opens the files that this library makes for its own use: partial downloads, journals, what a cache holds. Whoever may write to the folder
/// could have put anything under such a name, so links are not followed, and pipes, sockets, devices and folders are refused at once.
/// </summary>
/// <remarks>
/// File shares are locks on Unix, as they are in .NET. On Windows and on systems other than Linux and macOS, the check for a link
/// comes before the file is opened: whoever can exchange the file between the two steps gets past it.
/// </remarks>
internal static class OwnFile
{
    /// <summary>The rights that files lose which nobody but their owner may write to.</summary>
    public const UnixFileMode WriteOfOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Those that such a file has at most when it is made; the umask takes more from them.</summary>
    public const UnixFileMode ModeWithoutOthers =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const uint Root = 0;

    /// <summary>Opens a file that exists.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for. A file with several names (hard links) is not opened for writing.</param>
    /// <param name="share">What others may do meanwhile.</param>
    /// <param name="isThisUsers">
    /// Whether a file of another user is refused where others may write to the folder. Root's are accepted: it can change any file.
    /// </param>
    /// <exception cref="RefusedFileException">It is no regular file, or not this user's.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">It is in use, or cannot be opened for another reason.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open it.</exception>
    public static LockedFile Open(string path, FileAccess access, FileShare share, bool isThisUsers = false)
    {
        if (!LibC.IsSupported)
        {
            return OpenPortably(path, access, share);
        }

        // Looked at first, as opening a pipe or a device can have effects.
        if (LibC.TryFacts(path, out FileFacts facts, out _) && !facts.IsFile)
        {
            throw RefusedFileException.For(path, facts.Kind);
        }

        SafeFileHandle file = UnixFile.Open(path, access, followsLinks: false);
        try
        {
            Check(file, path, access, isThisUsers);
            _ = UnixFile.TryLock(file, path, share);
            return new LockedFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens a file that is going to be removed. Removing is a matter of the folder: a file that this user may not write to is opened too.
    /// </summary>
    public static LockedFile OpenToRemove(string path, FileShare share)
    {
        try
        {
            return Open(path, FileAccess.ReadWrite, share);
        }
        catch (UnauthorizedAccessException)
        {
            return Open(path, FileAccess.Read, share);
        }
    }

    /// <summary>Opens a file as <see cref="Open"/> does, or makes it where there is none.</summary>
    public static LockedFile OpenOrCreate(
        string path, FileAccess access, FileShare share, bool isThisUsers = false, bool keepsOthersOut = false)
    {
        while (true)
        {
            try
            {
                return Open(path, access, share, isThisUsers);
            }
            catch (FileNotFoundException)
            {
                // It is made below.
            }

            try
            {
                return CreateNew(path, access, share, keepsOthersOut);
            }
            catch (IOException) when (Exists(path))
            {
                // Somebody else has made it in the meantime: it is checked like any other.
            }
        }
    }

    /// <summary>Makes a file that did not exist: whatever has the name, a link also, is an error and stays as it is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for.</param>
    /// <param name="share">What others may do meanwhile.</param>
    /// <param name="keepsOthersOut">Whether its owner alone may write to it, whatever the umask.</param>
    public static LockedFile CreateNew(string path, FileAccess access, FileShare share, bool keepsOthersOut = false)
    {
        if (!keepsOthersOut || OperatingSystem.IsWindows())
        {
            return new LockedFile(File.OpenHandle(path, FileMode.CreateNew, access, share));
        }

        // Only a stream can be made with a mode, and it keeps its handle.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = access, Share = share, UnixCreateMode = ModeWithoutOthers };
        new FileStream(path, options).Dispose();
        return Open(path, access, share);
    }

    /// <summary>Whether an opened file still has the name that it was opened by: it may have been removed or renamed since.</summary>
    public static bool HasName(SafeFileHandle file, string path) => LibC.IsSupported && LibC.TryFacts(file, out FileFacts opened)
        ? LibC.TryFacts(path, out FileFacts named, out _) && named.Identity == opened.Identity
        : File.Exists(path);

    /// <summary>Whether a name is that of a regular file, and not of a link to one.</summary>
    public static bool IsFile(string path) => LibC.IsSupported
        ? LibC.TryFacts(path, out FileFacts facts, out _) && facts.IsFile
        : File.Exists(path) && new FileInfo(path).LinkTarget is null;

    // Also a link that leads nowhere.
    private static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static LockedFile OpenPortably(string path, FileAccess access, FileShare share)
    {
        if (new FileInfo(path).LinkTarget is not null)
        {
            throw RefusedFileException.For(path, "a symbolic link");
        }

        if (Directory.Exists(path))
        {
            throw RefusedFileException.For(path, "a folder");
        }

        return new LockedFile(File.OpenHandle(path, FileMode.Open, access, share));
    }

    private static void Check(SafeFileHandle file, string path, FileAccess access, bool isThisUsers)
    {
        if (!LibC.TryFacts(file, out FileFacts facts))
        {
            throw new RefusedFileException(path, "the system does not tell what kind of file it is");
        }

        if (!facts.IsFile)
        {
            throw RefusedFileException.For(path, facts.Kind);
        }

        if (access != FileAccess.Read && facts.Links > 1)
        {
            throw new RefusedFileException(
                path, "the file has another name as well (a hard link), and writing to it would change it there too; remove this name");
        }

        if (isThisUsers && facts.Owner != LibC.EffectiveUser() && facts.Owner != Root
            && FolderTrust.Refuse(Path.GetDirectoryName(Path.GetFullPath(path))!) is { } reason)
        {
            throw new RefusedFileException(
                path, $"the file belongs to another user (uid {facts.Owner}), and {reason}; remove it, or choose another folder");
        }
    }
}
