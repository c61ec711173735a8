using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// Opens the files that this library makes for its own use: partial downloads, journals, what a cache holds. Whoever may write to the folder
/// could have put anything under such a name, so links are not followed, and pipes, sockets, devices and folders are refused at once.
/// </summary>
/// <remarks>
/// File shares are locks on Unix, as always in .NET. On systems other than Linux and macOS, the check for a link comes before the file is
/// opened: whoever can exchange the file between the two steps gets past it.
/// </remarks>
internal static class OwnFile
{
    /// <summary>The permissions that are removed from files to which only their owner may write.</summary>
    public const UnixFileMode WriteOfOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private const int MostLooks = 10;

    /// <summary>Opens a file that exists.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for. A file with several names (hard links) is not opened for writing.</param>
    /// <param name="share">What other openers may do while the file is open.</param>
    /// <param name="isThisUsers">
    /// Whether a file of another user is refused where others may write to the folder. Root's are accepted: it can change any file.
    /// </param>
    /// <exception cref="RefusedFileException">It is not a regular file, or not this user's.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">It is in use, or cannot be opened for another reason.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open it.</exception>
    public static LockedFile Open(string path, FileAccess access, FileShare share, bool isThisUsers = false)
    {
        for (int look = 0; look < MostLooks; look++)
        {
            // Looked at first, as opening a pipe or a device can have effects.
            PathWalk.Step before = PathWalk.Look(path, isLast: true);
            if (before.Error == 0 && !before.Facts.IsFile)
            {
                throw RefusedFileException.For(path, before.Facts.Kind);
            }

            SafeFileHandle file = File.OpenHandle(path, FileMode.Open, access, share);
            try
            {
                if (!LibC.IsSupported || (LibC.TryFacts(file, out FileFacts opened) && opened.Identity == before.Facts.Identity))
                {
                    Check(path, before.Facts, access, isThisUsers);
                    return new LockedFile(file, path);
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            // Another file was put in its place between the two steps.
            file.Dispose();
        }

        throw new RefusedFileException(path, "the file was replaced again and again while it was opened");
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

    /// <summary>Opens a file as <see cref="Open"/> does, or makes it if it is missing.</summary>
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
            catch (IOException) when (PathWalk.Look(path, isLast: true).Error == 0)
            {
                // Somebody else has made it in the meantime: it is checked like any other.
            }
        }
    }

    /// <summary>
    /// Makes a file that did not exist: whatever has the name, a link also, is an error and stays as it is. Its owner may read it and write to
    /// it, whatever the umask, as another process may have to go on with it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for.</param>
    /// <param name="share">What other openers may do while the file is open.</param>
    /// <param name="keepsOthersOut">Whether its owner alone may write to it, whatever the umask.</param>
    public static LockedFile CreateNew(string path, FileAccess access, FileShare share, bool keepsOthersOut = false)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, access, share);
        if (!OperatingSystem.IsWindows())
        {
            UnixFileMode mode = File.GetUnixFileMode(file) | UnixFileMode.UserRead | UnixFileMode.UserWrite;
            File.SetUnixFileMode(file, keepsOthersOut ? mode & ~WriteOfOthers : mode);
        }

        return new LockedFile(file, path);
    }

    /// <summary>Whether a name is that of a regular file, and not of a link to one.</summary>
    public static bool IsFile(string path) => PathWalk.Look(path, isLast: true) is { Error: 0, Facts.IsFile: true };

    private static void Check(string path, FileFacts facts, FileAccess access, bool isThisUsers)
    {
        if (access != FileAccess.Read && facts.Links > 1)
        {
            throw new RefusedFileException(
                path, "the file has another name as well (a hard link), and writing to it would change it there too; remove this name");
        }

        if (isThisUsers && LibC.IsSupported && !facts.IsThisUsersOrRoots
            && FolderTrust.Refuse(Path.GetDirectoryName(Path.GetFullPath(path))!) is { } reason)
        {
            throw new RefusedFileException(
                path, $"the file belongs to another user (uid {facts.Owner}), and {reason}; remove it, or choose another folder");
        }
    }
}

/// <summary>A file that this library needs is not a regular file, or belongs to another user.</summary>
internal sealed class RefusedFileException(string path, string reason) : IOException($"{path}: {reason}.")
{
    /// <summary>Why, as a sentence without its full stop.</summary>
    public string Reason => reason;

    /// <summary>For what is not a regular file.</summary>
    public static RefusedFileException For(string path, string kind) =>
        new(path, $"this is {kind}, and a regular file is expected; remove it, or choose another folder");
}

/// <summary>An open file with the lock of its file share, which ends when the file is closed.</summary>
internal sealed class LockedFile(SafeFileHandle handle, string path) : IDisposable
{
    /// <summary>What is read from and written to.</summary>
    public SafeFileHandle Handle => handle;

    /// <summary>
    /// Whether the file still has the name that it was opened by. Somebody may have removed it or put another in its place since, which must
    /// then neither be renamed nor removed.
    /// </summary>
    public bool HasItsName => LibC.IsSupported && LibC.TryFacts(handle, out FileFacts opened)
        ? LibC.TryFacts(path, out FileFacts named, out _) && named.Identity == opened.Identity
        : File.Exists(path);

    public void Dispose() => handle.Dispose();
}
