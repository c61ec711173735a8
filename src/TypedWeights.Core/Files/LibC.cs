using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace TypedWeights.Interop.Native;

/// <summary>What .NET does not tell of a file on Linux: who owns it, and where its path leads once every link is followed.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LibC
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint BasicFacts = 0x7ff;
    private const int PathMax = 4096;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    /// <summary>Owner and mode of a path; of the link itself where the path is a symbolic link.</summary>
    public static FileFacts Facts(string path)
    {
        // statx, because its answer is laid out alike on every machine and in every C library.
        Span<byte> answer = stackalloc byte[256];
        return StatX(CurrentFolder, path, NoFollow, BasicFacts, answer) == 0
            ? new FileFacts(
                BinaryPrimitives.ReadUInt32LittleEndian(answer[20..]), BinaryPrimitives.ReadUInt16LittleEndian(answer[28..]))
            : throw Failure(path);
    }

    /// <summary>The absolute path without links, <c>.</c> and <c>..</c>; it has to exist.</summary>
    public static string RealPath(string path)
    {
        Span<byte> answer = stackalloc byte[PathMax];
        return RealPath(path, answer) != 0
            ? Encoding.UTF8.GetString(answer[..answer.IndexOf((byte)0)])
            : throw Failure(path);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> answer);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, Span<byte> answer);

    private static IOException Failure(string path) => new($"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
}
