using System.Net.Sockets;

namespace TypedWeights.Files;

/// <summary>How many files and sockets this process has open of those that it may have (<see cref="ProcessLimits.OpenFiles"/>).</summary>
internal static class OpenFileLimit
{
    // <errno.h>: ENFILE and EMFILE.
    private const int FileTableFull = 23;
    private const int TooManyFiles = 24;

    // Measured with .NET 10: the runtime has two files open for each library, and a process that reads from a store over TLS had up to 107.
    private const long LeastForHttp = 128;

    /// <summary>That the limit is reached and what to do, as a sentence without its full stop.</summary>
    public static string Sentence =>
        $"no more files can be opened: this process may have {ProcessLimits.OpenFiles} open at once; raise the limit (ulimit -n)";

    /// <summary>
    /// That the limit is too low for HTTP and what to do, as a sentence without its full stop; null where it is not. The runtime would reach
    /// the limit while it loads its own libraries for HTTP and TLS, and some of those failures end the process.
    /// </summary>
    public static string? TooLow => ProcessLimits.OpenFiles is < LeastForHttp and var limit
        ? $"this process may have {limit} files and sockets open at once, and at least {LeastForHttp} are needed; "
            + "raise the limit before the process starts (ulimit -n 1024)"
        : null;

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
            return ProcessLimits.OpenFiles;
        }
    }

    /// <summary>How many more can be opened; null where nothing limits them, or it is not known.</summary>
    public static long? CountLeft() => ProcessLimits.OpenFiles is { } limit && CountOpen() is { } open ? Math.Max(0, limit - open) : null;

    /// <summary>Whether a failure says that this process, or the whole system, has too many open already (EMFILE, ENFILE).</summary>
    public static bool IsReached(Exception? failure) => failure switch
    {
        SocketException socket => socket.SocketErrorCode == SocketError.TooManyOpenSockets,

        // .NET keeps the system's own number, which is the same on Linux and macOS.
        IOException file => !OperatingSystem.IsWindows() && file.HResult is FileTableFull or TooManyFiles,
        _ => false,
    };
}
