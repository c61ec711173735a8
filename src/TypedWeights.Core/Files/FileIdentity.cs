using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>Which file it is, and in which state: what a file that is opened again must still have.</summary>
/// <param name="Length">Its length.</param>
/// <param name="Modified">When it was last written to.</param>
/// <param name="Node">Its place in its file system; 0 where only Linux would tell.</param>
/// <param name="Device">That file system; 0 likewise.</param>
internal readonly partial record struct FileIdentity(long Length, DateTime Modified, ulong Node, ulong Device)
{
    private const int OfHandle = 0x1000;
    private const uint BasicFacts = 0x7ff;

    public static FileIdentity Of(SafeFileHandle file)
    {
        (ulong node, ulong device) = OperatingSystem.IsLinux() ? PlaceOf(file) : default;
        return new FileIdentity(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file), node, device);
    }

    [SupportedOSPlatform("linux")]
    private static (ulong Node, ulong Device) PlaceOf(SafeFileHandle file)
    {
        // statx, because its answer is laid out alike on every machine and in every C library. Old kernels lack it.
        Span<byte> answer = stackalloc byte[256];
        return StatX(file, "", OfHandle, BasicFacts, answer) == 0
            ? (BinaryPrimitives.ReadUInt64LittleEndian(answer[32..]), BinaryPrimitives.ReadUInt64LittleEndian(answer[136..]))
            : default;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, Span<byte> answer);
}
