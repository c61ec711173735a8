using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Memory;

/// <summary>What .NET cannot say about memory on Linux: memory of the system's own, huge pages, and private mappings that promise no swap.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LinuxMemory
{
    private const int AdviseHugePage = 14;
    private const int ProtectReadWrite = 0x1 | 0x2;
    private const int MapPrivateNoReserve = 0x2 | 0x4000;
    private const int MapPrivateAnonymous = 0x2 | 0x20;
    private const nint MapFailed = -1;

    /// <summary>Asks for huge pages where memory is touched for the first time from now on.</summary>
    /// <returns>False where the kernel has none; the memory is as good as before.</returns>
    public static bool TryAdviseHugePages(nint address, long length) => Advise(address, (nuint)length, AdviseHugePage) == 0;

    /// <summary>Maps a file from its start; what is written to the memory stays in this process.</summary>
    /// <remarks>
    /// Without a reservation of swap, which the kernel otherwise makes for every byte that could be written, and refuses for a file that
    /// is larger than the machine's memory.
    /// </remarks>
    /// <exception cref="IOException">The file system cannot map files, or the address space is full.</exception>
    public static nint MapPrivate(SafeFileHandle file, long length)
    {
        nint address = Map(0, (nuint)length, ProtectReadWrite, MapPrivateNoReserve, file, 0);
        return address != MapFailed ? address : throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
    }

    /// <summary>Maps fresh memory, zeroed when it is touched.</summary>
    /// <returns>False if the system has no consecutive memory of that length.</returns>
    public static bool TryMapAnonymous(long length, out nint address)
    {
        address = Map(0, (nuint)length, ProtectReadWrite, MapPrivateAnonymous, -1, 0);
        return address != MapFailed;
    }

    public static void Unmap(nint address, long length)
    {
        if (Unmap(address, (nuint)length) != 0)
        {
            throw new InvalidOperationException($"munmap: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, SafeFileHandle file, nint offset);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int noFile, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}
