using System.Runtime.InteropServices;

namespace TypedWeights.Memory;

/// <summary>
/// What the C library keeps of memory that was freed. glibc gives back the end of its heaps alone, so that one small block that is left
/// there keeps gigabytes of free memory below it in the process.
/// </summary>
internal static unsafe class FreedMemory
{
    // Looking through the heaps takes some time for each page that goes back; for less than this nobody would notice the difference.
    private const long WorthLooking = 32L << 20;

    // glibc alone has it; musl, macOS and Windows give memory back by themselves.
    private static readonly delegate* unmanaged[Cdecl]<nuint, int> MallocTrim = Find();

    private static int _isAsked;

    // Since it was last given back: many small sets keep as much as a large one.
    private static long _freed;

    /// <summary>Whether the C library keeps memory and can be told to give it back.</summary>
    public static bool CanBeGivenBack => MallocTrim is not null;

    /// <summary>Gives back what is free, on a thread of the pool and once for all that ask meanwhile: with gigabytes it takes a second.</summary>
    /// <param name="bytes">How many were freed.</param>
    public static void GiveBackLater(long bytes)
    {
        if (CanBeGivenBack && Interlocked.Add(ref _freed, bytes) >= WorthLooking && Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static _ =>
                {
                    // Whoever frees something from here on asks again.
                    Interlocked.Exchange(ref _freed, 0);
                    Volatile.Write(ref _isAsked, 0);
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
