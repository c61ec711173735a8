using System.Runtime.InteropServices;
using TypedWeights.Memory;

namespace TypedWeights.Bench;

/// <summary>Gives each case the same state of memory.</summary>
internal static partial class FreshMemory
{
    /// <summary>
    /// A case neither cleans up nor uses what an earlier case left: memory that the C library keeps would not be fresh. And the fresh memory
    /// of the system is equally fast for each case: it was touched recently, in huge pages, and not for the first time since the machine
    /// started.
    /// </summary>
    public static void Settle(long bytes)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        if (OperatingSystem.IsLinux())
        {
            _ = TrimHeap(0);
        }

        using HeapRegion region = HeapRegion.Allocate(bytes);
        new NativeMemoryManager(region.Address, checked((int)bytes)).GetSpan().Clear();
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keep);
}
