using System.Runtime.InteropServices;
using TypedWeights.Memory;

namespace TypedWeights.Bench;

/// <summary>Makes memory the same for each case.</summary>
internal static partial class FreshMemory
{
    /// <summary>
    /// What one case left behind is not the next one's to clean up, nor to use: memory that the C library keeps would not be fresh. And
    /// what the system hands out as fresh is as fast for each: touched lately, in huge pages, not for the first time since the machine
    /// began.
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
