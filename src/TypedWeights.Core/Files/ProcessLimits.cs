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
    public static long? OpenFiles => Bounded(Read(OpenFilesResource)?.Soft);

    /// <summary>The highest that <see cref="OpenFiles"/> can be raised to without privileges; null as above.</summary>
    public static long? MostOpenFiles => Bounded(Read(OpenFilesResource)?.Hard);

    private static int OpenFilesResource => OperatingSystem.IsLinux() ? OpenFilesOnLinux : OpenFilesElsewhere;

    // No limit is a number that no process reaches.
    private static long? Bounded(ulong? value) => value < int.MaxValue ? (long?)value : null;

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
