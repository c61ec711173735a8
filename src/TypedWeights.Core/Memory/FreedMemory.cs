using System.Runtime.InteropServices;

namespace TypedWeights.Memory;

/// <summary>
/// Freed memory that the C library keeps. glibc returns only the end of its heaps to the system, so that one small block at the end keeps
/// gigabytes of free memory in the process.
/// </summary>
internal static unsafe class FreedMemory
{
    // A search of the heaps takes some time for each page that is returned; below this size the difference is not noticeable.
    private const long WorthTrimming = 32L << 20;

    // Only glibc has it; musl, macOS and Windows return memory by themselves.
    private static readonly delegate* unmanaged[Cdecl]<nuint, int> MallocTrim = Find();

    private static int _isQueued;

    // Since the last trim: many small sets keep as much as a large one.
    private static long _freed;

    /// <summary>Whether the C library keeps memory and can return it to the system.</summary>
    public static bool CanTrim => MallocTrim is not null;

    /// <summary>
    /// Returns free memory to the system on a pool thread, once for all calls that arrive during the wait: with gigabytes it takes a second.
    /// </summary>
    /// <param name="bytes">How many bytes were freed.</param>
    public static void TrimLater(long bytes)
    {
        if (CanTrim && Interlocked.Add(ref _freed, bytes) >= WorthTrimming && Interlocked.Exchange(ref _isQueued, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static _ =>
                {
                    // Memory that is freed from here on needs another trim.
                    Interlocked.Exchange(ref _freed, 0);
                    Volatile.Write(ref _isQueued, 0);
                    _ = MallocTrim(0);
                },
                null);
        }
    }

    private static delegate* unmanaged[Cdecl]<nuint, int> Find() =>
        OperatingSystem.IsLinux()
            && NativeLibrary.TryLoad("libc.so.6", out nint library)
            && NativeLibrary.TryGetExport(library, "malloc_trim", out nint address)
            ? (delegate* unmanaged[Cdecl]<nuint, int>)address
            : null;
}
