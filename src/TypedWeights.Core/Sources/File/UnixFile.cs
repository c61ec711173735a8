using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Sources.File;

/// <summary>What .NET cannot ask of a file on Unix.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixFile
{
    private const int ReadOnlyOnLinux = 0x800 | 0x80000;
    private const int ReadOnlyElsewhere = 0x4 | 0x1000000;

    /// <summary>Opens a file for reading, and a named pipe without waiting for its writer.</summary>
    /// <returns>The file, not to be read from; an invalid handle where it cannot be opened.</returns>
    public static SafeFileHandle OpenAtOnce(string path) => Open(path, OperatingSystem.IsLinux() ? ReadOnlyOnLinux : ReadOnlyElsewhere);

    // O_NONBLOCK | O_CLOEXEC, which are other numbers on macOS.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);
}
