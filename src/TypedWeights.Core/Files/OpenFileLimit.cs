using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace TypedWeights.Files;

/// <summary>How many files and sockets this process may have open (RLIMIT_NOFILE), and how many it has.</summary>
internal static partial class OpenFileLimit
{
    // <sys/resource.h>
    private const int NumberOfFilesOnLinux = 7;
    private const int NumberOfFilesElsewhere = 8;

    // <errno.h>: ENFILE and EMFILE.
    private const int FileTableFull = 23;
    private const int TooManyFiles = 24;

    /// <summary>
    /// The limit that is in force; null where there is none, as on Windows, or it is not known. The runtime raises it to
    /// <see cref="Hard"/> when the process starts.
    /// </summary>
    public static long? Soft => Read() is { } limit ? Bounded(limit.Soft) : null;

    /// <summary>The highest that <see cref="Soft"/> can be raised to without privileges; null as above.</summary>
    public static long? Hard => Read() is { } limit ? Bounded(limit.Hard) : null;

    /// <summary>How many are open now; null where the system does not say. It takes time that grows with their number.</summary>
    public static long? CountOpen()
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        try
        {
            // One of them is the folder that is being read.
            return Directory.EnumerateFileSystemEntries(OperatingSystem.IsLinux() ? "/proc/self/fd" : "/dev/fd").LongCount() - 1;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (IOException)
        {
            // Not even this folder can be opened any more.
            return Soft;
        }
    }

    /// <summary>How many more can be opened; null where nothing limits them, or it is not known.</summary>
    public static long? CountLeft() => Soft is { } limit && CountOpen() is { } open ? Math.Max(0, limit - open) : null;

    /// <summary>Whether a failure says that this process, or the whole system, has too many open already (EMFILE, ENFILE).</summary>
    public static bool IsReached(Exception? failure) => failure switch
    {
        SocketException socket => socket.SocketErrorCode == SocketError.TooManyOpenSockets,

        // .NET keeps the system's own number, which is the same on Linux and macOS.
        IOException file => !OperatingSystem.IsWindows() && file.HResult is FileTableFull or TooManyFiles,
        _ => false,
    };

    // No limit is a number that no process reaches.
    private static long? Bounded(ulong value) => value < int.MaxValue ? (long)value : null;

    private static (ulong Soft, ulong Hard)? Read()
    {
        // Elsewhere the numbers have another width.
        if (OperatingSystem.IsWindows() || !Environment.Is64BitProcess)
        {
            return null;
        }

        int resource = OperatingSystem.IsLinux() ? NumberOfFilesOnLinux : NumberOfFilesElsewhere;
        return Get(resource, out Limit limit) == 0 ? (limit.Soft, limit.Hard) : null;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int Get(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
