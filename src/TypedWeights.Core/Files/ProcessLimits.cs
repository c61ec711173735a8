using System.Runtime.InteropServices;

namespace TypedWeights.Files;

/// <summary>What the system allows this process, as <c>ulimit</c> shows it.</summary>
internal static partial class ProcessLimits
{
    // <sys/resource.h>
    private const int FileSizeResource = 1;
    private const int OpenFilesOnLinux = 7;
    private const int OpenFilesElsewhere = 8;

    /// <summary>The most bytes of a file that this process may write (<c>ulimit -f</c>); null for no limit.</summary>
    public static long? FileSize => Read(FileSizeResource) is { Soft: < long.MaxValue and var bytes } ? (long)bytes : null;

    /// <summary>
    /// The most files and sockets that it may have open at once (<c>ulimit -n</c>); null where nothing limits them, as on Windows, or the
    /// limit is not known. The runtime raises it to the hard limit when the process starts.
    /// </summary>
    // No limit is a number that no process reaches.
    public static long? OpenFiles => Read(OpenFilesResource) is { Soft: < int.MaxValue and var count } ? (long)count : null;

    private static int OpenFilesResource => OperatingSystem.IsLinux() ? OpenFilesOnLinux : OpenFilesElsewhere;

    // On 32-bit systems the numbers have another width.
    private static Limit? Read(int resource) =>
        !OperatingSystem.IsWindows() && Environment.Is64BitProcess && Get(resource, out Limit limit) == 0 ? limit : null;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int Get(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly ulong Soft;
        public readonly ulong Hard;
    }
}
