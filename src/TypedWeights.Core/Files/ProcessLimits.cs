using System.Runtime.InteropServices;

namespace TypedWeights.Files;

/// <summary>What the system allows this process, as <c>ulimit</c> shows it.</summary>
internal static partial class ProcessLimits
{
    private const int FileSizeResource = 1;
    private const int OpenFilesOnLinux = 7;
    private const int OpenFilesElsewhere = 8;

    /// <summary>The most bytes of a file that this process writes (<c>ulimit -f</c>); null for no limit.</summary>
    public static long? FileSize => Of(FileSizeResource);

    /// <summary>The most files that it may have open at once (<c>ulimit -n</c>); null for no limit that is known.</summary>
    public static long? OpenFiles => Of(OperatingSystem.IsLinux() ? OpenFilesOnLinux : OpenFilesElsewhere);

    private static long? Of(int resource) =>
        !OperatingSystem.IsWindows() && Environment.Is64BitProcess && Get(resource, out Limit limit) == 0 && limit.Current < long.MaxValue
            ? (long)limit.Current
            : null;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int Get(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly ulong Current;
        public readonly ulong Most;
    }
}
