using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Memory;

/// <summary>
/// A file as memory: its pages are read when they are first touched, and what is written stays in this process (a private mapping). It
/// outlives the handle it was made from.
/// </summary>
internal sealed unsafe class MappedRegion : NativeRegion
{
    private readonly MemoryMappedViewAccessor? _view;

    private MappedRegion(nint address, long length, MemoryMappedViewAccessor? view)
        : base(address, length) => _view = view;

    /// <summary>Maps a file from its start.</summary>
    /// <param name="file">The opened file.</param>
    /// <param name="length">How many bytes, from 1 to the length of the file.</param>
    /// <exception cref="IOException">The file cannot be mapped.</exception>
    public static MappedRegion Map(SafeFileHandle file, long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);

        // mmap takes its offset as the C library's long, which is wide enough only here.
        return OperatingSystem.IsLinux() && Environment.Is64BitProcess && !PortableMemory.IsForced
            ? new MappedRegion(LinuxMemory.MapPrivate(file, length), length, view: null)
            : MapPortably(file, length);
    }

    protected override void Free()
    {
        if (_view is not null)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
        }
        else if (OperatingSystem.IsLinux())
        {
            LinuxMemory.Unmap(Address, Length);
        }
    }

    private static MappedRegion MapPortably(SafeFileHandle file, long length)
    {
        using var mapped = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        MemoryMappedViewAccessor view = mapped.CreateViewAccessor(0, length, MemoryMappedFileAccess.CopyOnWrite);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        return new MappedRegion((nint)pointer + (nint)view.PointerOffset, length, view);
    }
}
