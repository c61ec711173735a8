using System.Runtime.InteropServices;

namespace TypedWeights.Memory;

/// <summary>
/// Fresh memory, not zeroed. From <see cref="HugePagesFrom"/> on it begins at a huge page and asks for huge pages: touching memory for
/// the first time 4 KiB at a time costs more than reading a cached file into it.
/// </summary>
internal sealed unsafe class HeapRegion : NativeRegion
{
    /// <summary>2 MiB on x64 and on arm64 with pages of 4 KiB.</summary>
    public const long HugePage = 2L << 20;

    /// <summary>Smaller regions leave most of a huge page unused and take no time worth saving.</summary>
    public const long HugePagesFrom = 4L << 20;

    /// <summary>A cache line, and the widest vector register: what libtorch's own allocator gives.</summary>
    public const int SmallAlignment = 64;

    private HeapRegion(nint address, long length, bool hasHugePages)
        : base(address, length)
    {
        HasHugePages = hasHugePages;
    }

    /// <summary>Whether the kernel has been asked for huge pages and took it well.</summary>
    public bool HasHugePages { get; }

    /// <summary>The bytes that a region of a length takes: up to the end of the last huge page, or the tail would be small pages.</summary>
    public static long RoomFor(long length) =>
        length < HugePagesFrom ? length : checked(length + HugePage - 1) / HugePage * HugePage;

    /// <exception cref="OutOfMemoryException">The system has no such run of memory.</exception>
    public static HeapRegion Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        if (length < HugePagesFrom)
        {
            return new HeapRegion((nint)NativeMemory.AlignedAlloc((nuint)length, SmallAlignment), length, hasHugePages: false);
        }

        long whole = RoomFor(length);
        nint address = (nint)NativeMemory.AlignedAlloc((nuint)whole, (nuint)HugePage);
        bool huge = OperatingSystem.IsLinux() && !PortableMemory.IsForced && LinuxMemory.TryAdviseHugePages(address, whole);
        return new HeapRegion(address, length, huge);
    }

    protected override void Free() => NativeMemory.AlignedFree((void*)Address);
}
