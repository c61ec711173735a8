using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>What .NET does not report about a file on Linux and macOS: who owns it, and who may write to it.</summary>
internal static partial class LibC
{
    /// <summary>No such file (ENOENT).</summary>
    public const int NotThere = 2;

    /// <summary>A folder on the way may not be searched (EACCES).</summary>
    public const int Denied = 13;

    /// <summary>Something on the way is not a folder (ENOTDIR).</summary>
    public const int NoFolder = 20;

    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicFacts = 0x7ff;
    private const int LockAlone = 2;
    private const int LockAtOnce = 4;
    private const int NoLock = 8;
    private const int GroupBuffer = 64 << 10;
    private const int MostUsers = 10_000;

    // The current folder, and "as the effective user"; their numbers differ between Linux and macOS.
    private static readonly int CurrentFolder = OperatingSystem.IsMacOS() ? -2 : -100;
    private static readonly int AsEffectiveUser = OperatingSystem.IsMacOS() ? 0x10 : 0x200;

    private static readonly Lazy<bool> HasStatX = new(FindStatX);

    // The system has one list of users for the whole process.
    private static readonly Lock UserList = new();

    /// <summary>A right to a file or folder, as <c>access</c> names it.</summary>
    internal enum Right
    {
        /// <summary>To run a file, or to reach what is in a folder.</summary>
        Search = 1,

        /// <summary>To write to a file, or to make, rename and remove what is in a folder.</summary>
        Write = 2,

        /// <summary>To read a file, or to list a folder.</summary>
        Read = 4,
    }

    /// <summary>Whether this system is one of those whose results can be read here. On other systems, no other member may be used.</summary>
    [UnsupportedOSPlatformGuard("windows")]
    public static bool IsSupported => OperatingSystem.IsMacOS() || (OperatingSystem.IsLinux() && HasStatX.Value);

    private static bool IsIntelMac => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    /// <summary>Owner, group and mode of a path; of the link itself where the path is a symbolic link.</summary>
    /// <exception cref="IOException">There is no such file, or it cannot be reached.</exception>
    public static FileFacts Facts(string path) => TryFacts(path, out FileFacts facts, out int error) ? facts : throw Failure(path, error);

    /// <summary>As <see cref="Facts"/>, with the system's error number in place of an exception.</summary>
    public static bool TryFacts(string path, out FileFacts facts, out int error)
    {
        Span<byte> buffer = stackalloc byte[256];
        int result = OperatingSystem.IsMacOS()
            ? IsIntelMac ? LStat64(path, buffer) : LStat(path, buffer)
            : StatX(CurrentFolder, path, NoFollow, BasicFacts, buffer);
        error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        facts = result == 0 ? Read(buffer) : default;
        return result == 0;
    }

    /// <summary>The same of an opened file.</summary>
    public static bool TryFacts(SafeFileHandle file, out FileFacts facts)
    {
        Span<byte> buffer = stackalloc byte[256];
        int result = OperatingSystem.IsMacOS()
            ? IsIntelMac ? FStat64(file, buffer) : FStat(file, buffer)
            : StatX(file, "", EmptyPath, BasicFacts, buffer);
        facts = result == 0 ? Read(buffer) : default;
        return result == 0;
    }

    /// <summary>Whether this user has a right to a file that can be reached; a link is followed.</summary>
    public static bool Has(string path, Right right) => FAccessAt(CurrentFolder, path, (int)right, AsEffectiveUser) == 0;

    /// <summary>Whether a folder has rights for single users or groups beside its mode (Linux).</summary>
    [SupportedOSPlatform("linux")]
    public static bool HasAccessList(string path) => GetXAttr(path, "system.posix_acl_access", 0, 0) > 0;

    /// <summary>The name of a group and of the users that are listed as its members; null where the system does not know it.</summary>
    public static (string Name, IReadOnlyList<string> Members)? Group(uint id)
    {
        // Both systems lay it out so: name, password, number, members.
        Span<nint> record = stackalloc nint[8];
        nint buffer = Marshal.AllocHGlobal(GroupBuffer);
        try
        {
            if (GetGroup(id, record, buffer, GroupBuffer, out nint found) != 0 || found == 0)
            {
                return null;
            }

            var members = new List<string>();
            for (nint at = record[3]; at != 0 && Marshal.ReadIntPtr(at) is not 0 and nint member; at += nint.Size)
            {
                members.Add(Marshal.PtrToStringUTF8(member) ?? "");
            }

            return (Marshal.PtrToStringUTF8(record[0]) ?? "", members);
        }
        finally
        {
            Marshal.FreeHGlobal(buffer);
        }
    }

    /// <summary>The names of the users whose own (primary) group it is: a group does not list them as members.</summary>
    /// <returns>null where the system has too many users to look at each.</returns>
    public static IReadOnlyList<string>? UsersOfGroup(uint id)
    {
        lock (UserList)
        {
            var names = new List<string>();
            int count = 0;
            RewindUsers();
            for (; count <= MostUsers && NextUser() is not 0 and nint user; count++)
            {
                // Linux and macOS both begin a record with name, password, number and group.
                if ((uint)Marshal.ReadInt32(user, (2 * nint.Size) + sizeof(uint)) == id)
                {
                    names.Add(Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(user)) ?? "");
                }
            }

            EndUsers();
            return count <= MostUsers ? names : null;
        }
    }

    /// <summary>Takes the lock that .NET takes for <see cref="FileShare.None"/> on an open file.</summary>
    /// <returns>false if somebody else has a lock, or the file system has no locks.</returns>
    public static bool TryLockAlone(SafeFileHandle file) => IsSupported && FLock(file, LockAlone | LockAtOnce) == 0;

    /// <summary>Ends the lock that .NET took when it opened a file.</summary>
    public static void Unlock(SafeFileHandle file) => _ = IsSupported ? FLock(file, NoLock) : 0;

    // Old C libraries lack it, and old container runtimes forbid it.
    private static bool FindStatX()
    {
        try
        {
            return StatX(CurrentFolder, "/", NoFollow, BasicFacts, stackalloc byte[256]) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    // statx, because its result has the same layout on every Linux and in every C library.
    private static FileFacts Read(ReadOnlySpan<byte> buffer) => OperatingSystem.IsMacOS()
        ? new FileFacts(U32(buffer, 16), U32(buffer, 20), U16(buffer, 4))
        {
            Links = U16(buffer, 6),
            Identity = (U32(buffer, 0), U64(buffer, 8)),
        }
        : new FileFacts(U32(buffer, 20), U32(buffer, 24), U16(buffer, 28))
        {
            Links = U32(buffer, 16),
            Identity = (((ulong)U32(buffer, 136) << 32) | U32(buffer, 140), U64(buffer, 32)),
        };

    private static ulong U64(ReadOnlySpan<byte> buffer, int at) => BinaryPrimitives.ReadUInt64LittleEndian(buffer[at..]);

    private static uint U32(ReadOnlySpan<byte> buffer, int at) => BinaryPrimitives.ReadUInt32LittleEndian(buffer[at..]);

    private static ushort U16(ReadOnlySpan<byte> buffer, int at) => BinaryPrimitives.ReadUInt16LittleEndian(buffer[at..]);

    private static IOException Failure(string path, int error) => new($"{path}: {new Win32Exception(error).Message}");

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int FStat(SafeFileHandle file, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64")]
    private static partial int FStat64(SafeFileHandle file, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat64(string path, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "faccessat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FAccessAt(int folder, string path, int right, int flags);

    [LibraryImport("libc", EntryPoint = "getxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetXAttr(string path, string name, nint value, nint size);

    [LibraryImport("libc", EntryPoint = "getgrgid_r")]
    private static partial int GetGroup(uint id, Span<nint> record, nint buffer, nint length, out nint found);

    [LibraryImport("libc", EntryPoint = "setpwent")]
    private static partial void RewindUsers();

    [LibraryImport("libc", EntryPoint = "getpwent")]
    private static partial nint NextUser();

    [LibraryImport("libc", EntryPoint = "endpwent")]
    private static partial void EndUsers();

    [LibraryImport("libc", EntryPoint = "flock")]
    private static partial int FLock(SafeFileHandle file, int operation);
}
