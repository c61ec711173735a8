using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace TypedWeights.Memory;

/// <summary>
/// Fresh memory, not zeroed. From <see cref="HugePagesFrom"/> on it starts at a huge page and requests huge pages: touching memory for
/// the first time 4 KiB at a time costs more than reading a cached file into it.
/// </summary>
internal sealed unsafe class HeapRegion : NativeRegion
{
    /// <summary>2 MiB on x64 and on arm64 with pages of 4 KiB.</summary>
    public const long HugePage = 2L << 20;

    /// <summary>Smaller regions leave most of a huge page unused and take no time worth saving.</summary>
    public const long HugePagesFrom = 4L << 20;

    /// <summary>A cache line, and the widest vector register: the alignment of libtorch's own allocator.</summary>
    public const int SmallAlignment = 64;

    // The mapping, of which the region is a part; 0 for memory of the C library.
    private nint _mapping;
    private long _mappingLength;

    private HeapRegion(nint address, long length)
        : base(address, length)
    {
    }

    /// <summary>Whether the kernel has accepted the request for huge pages.</summary>
    public bool HasHugePages { get; private init; }

    /// <summary>The bytes that a region of a length takes: up to the end of the last huge page, or the tail would be small pages.</summary>
    public static long SizeFor(long length) =>
        length < HugePagesFrom ? length : checked(length + HugePage - 1) / HugePage * HugePage;

    /// <exception cref="OutOfMemoryException">The system has no consecutive memory of that length.</exception>
    public static HeapRegion Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        if (length < HugePagesFrom)
        {
            return new HeapRegion((nint)NativeMemory.AlignedAlloc((nuint)length, SmallAlignment), length);
        }

        long whole = SizeFor(length);
        return OperatingSystem.IsLinux() && Environment.Is64BitProcess && !PortableMemory.IsForced && TryMap(length, whole) is { } mapped
            ? mapped
            : new HeapRegion((nint)NativeMemory.AlignedAlloc((nuint)whole, (nuint)HugePage), length);
    }

    protected override void Free()
    {
        if (_mappingLength == 0)
        {
            NativeMemory.AlignedFree((void*)Address);
        }
        else if (OperatingSystem.IsLinux())
        {
            LinuxMemory.Unmap(_mapping, _mappingLength);
        }
    }

    // From the system itself: the C library may keep freed memory for later, and then it is not fresh.
    [SupportedOSPlatform("linux")]
    private static HeapRegion? TryMap(long length, long whole)
    {
        // The kernel may not align the mapping to a huge page; what is mapped beyond and never touched takes no memory.
        long mapped = checked(whole + HugePage);
        if (!LinuxMemory.TryMapAnonymous(mapped, out nint start))
        {
            return null;
        }

        nint address = (nint)((start + HugePage - 1) / HugePage * HugePage);
        return new HeapRegion(address, length)
        {
            HasHugePages = LinuxMemory.TryAdviseHugePages(address, whole),
            _mapping = start,
            _mappingLength = mapped,
        };
    }
}
