using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.GpuBench;

/// <summary>The system's cache of files that it has read.</summary>
internal static partial class PageCache
{
    private const int DoNotNeed = 4;

    /// <summary>Drops a file from the cache. Pages that are not on the disk yet would stay, so they are written first.</summary>
    public static void Forget(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            using SafeFileHandle file = File.OpenHandle(path);
            _ = Sync(file);
            _ = Advise(file, 0, 0, DoNotNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
