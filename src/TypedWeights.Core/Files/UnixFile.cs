using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>Opens files in ways that .NET does not offer on Unix: without following a link, and without waiting for a pipe.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixFile
{
    private const int LockShared = 1;
    private const int LockAlone = 2;
    private const int LockAtOnce = 4;
    private const int NoLock = 8;

    // O_NONBLOCK | O_CLOEXEC and O_NOFOLLOW: other numbers on macOS, and the last one differs between processors on Linux.
    private static readonly int OpenAtOnceFlags = OperatingSystem.IsLinux() ? 0x800 | 0x80000 : 0x4 | 0x1000000;

    private static readonly int NoFollowFlag = !OperatingSystem.IsLinux() ? 0x100
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm or Architecture.Ppc64le ? 0x8000
        : 0x20000;

    private static readonly int WouldBlock = OperatingSystem.IsLinux() ? 11 : 35;

    /// <summary>Opens a file that exists. It does not wait for a pipe, a socket or a device.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for.</param>
    /// <param name="followsLinks">Whether a symbolic link is followed; otherwise it is an error.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open it.</exception>
    /// <exception cref="IOException">It cannot be opened for another reason.</exception>
    public static SafeFileHandle Open(string path, FileAccess access, bool followsLinks)
    {
        int flags = access switch { FileAccess.Read => 0, FileAccess.Write => 1, _ => 2 };
        SafeFileHandle handle = Open(path, flags | OpenAtOnceFlags | (followsLinks ? 0 : NoFollowFlag));
        if (!handle.IsInvalid)
        {
            return handle;
        }

        int error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw Failure(path, error);
    }

    /// <summary>Takes the lock that .NET takes for a file share: an exclusive one for <see cref="FileShare.None"/>, else a shared one.</summary>
    /// <returns>Whether it was taken: false where the file system has no locks, which is no error in .NET either.</returns>
    /// <exception cref="IOException">Another process or handle has a lock that excludes this one.</exception>
    public static bool TryLock(SafeFileHandle file, string path, FileShare share)
    {
        if (FLock(file, (share == FileShare.None ? LockAlone : LockShared) | LockAtOnce) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == WouldBlock
            ? throw new IOException($"{path} is in use by another process.", WouldBlock)
            : false;
    }

    /// <summary>Ends the lock that <see cref="TryLock"/> took, also for those who have a copy of the descriptor.</summary>
    public static void Unlock(SafeFileHandle file) => _ = FLock(file, NoLock);

    // The same exceptions as .NET's, so that callers need not know who opened a file.
    private static Exception Failure(string path, int error)
    {
        const int NotPermitted = 1;
        const int NoDevice = 6;
        string message = $"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'";
        return error switch
        {
            LibC.NotThere when Directory.Exists(Path.GetDirectoryName(path)) => new FileNotFoundException(message, path),
            LibC.NotThere or LibC.NoFolder => new DirectoryNotFoundException(message),
            NoDevice => new RefusedFileException(path, "this is a socket or a device, and a regular file is expected"),
            NotPermitted or LibC.Denied => new UnauthorizedAccessException(message),
            _ => new IOException(message, error),
        };
    }

    // It never makes a file: that takes a third argument, which macOS on arm64 expects in another place than P/Invoke puts it.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);
}
