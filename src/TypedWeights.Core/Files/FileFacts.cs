using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>A file's owner, group and mode, as Unix keeps them.</summary>
internal readonly record struct FileFacts(uint Owner, uint Group, ushort Mode)
{
    private const int KindMask = 0xf000;
    private const int RegularFileKind = 0x8000;
    private const int FolderKind = 0x4000;
    private const int LinkKind = 0xa000;
    private const int PipeKind = 0x1000;
    private const int SocketKind = 0xc000;
    private const int GroupWrite = 0x10;
    private const int OthersWrite = 0x2;
    private const int OthersMayAnything = 0x3f;
    private const int Sticky = 0x200;
    private const uint Root = 0;

    /// <summary>What is known of a file where <see cref="LibC"/> is not supported.</summary>
    public static FileFacts Of(bool isFolder, bool isLink) => new(0, 0, (ushort)(isLink ? LinkKind : isFolder ? FolderKind : RegularFileKind));

    /// <summary>How many names the file has.</summary>
    public uint Links { get; init; }

    /// <summary>The number of its file system and its own there: two names with the same numbers are names of one file.</summary>
    public (ulong Device, ulong Inode) Identity { get; init; }

    /// <summary>What it is, for a sentence.</summary>
    public string Kind => (Mode & KindMask) switch
    {
        RegularFileKind => "a file",
        FolderKind => "a folder",
        LinkKind => "a symbolic link",
        PipeKind => "a named pipe",
        SocketKind => "a socket",
        _ => "a device",
    };

    /// <summary>Whether it belongs to this user, or to root, who can change any file.</summary>
    public bool IsThisUsersOrRoots => Owner == Root || Owner == LibC.EffectiveUser();

    public bool IsFile => (Mode & KindMask) == RegularFileKind;

    public bool IsFolder => (Mode & KindMask) == FolderKind;

    public bool IsLink => (Mode & KindMask) == LinkKind;

    /// <summary>Whether the mode grants nothing to the group and to others.</summary>
    public bool IsPrivate => (Mode & OthersMayAnything) == 0;

    public bool GroupMayWrite => (Mode & GroupWrite) != 0;

    public bool OthersMayWrite => (Mode & OthersWrite) != 0;

    /// <summary>Whether who may write to this folder may still not rename or remove the files of others in it, as in /tmp.</summary>
    public bool IsSticky => (Mode & Sticky) != 0;

    /// <summary>The mode as <c>chmod</c> takes it: <c>0755</c>.</summary>
    public string ModeText => Convert.ToString(Mode & 0xfff, 8).PadLeft(4, '0');
}

/// <summary>Which file it is, and in which state: what a file that is opened again must still have.</summary>
/// <param name="Length">Its length.</param>
/// <param name="Modified">When it was last written to.</param>
/// <param name="Place">Its file system and its number there; zeros if the system does not report them.</param>
internal readonly record struct FileIdentity(long Length, DateTime Modified, (ulong Device, ulong Inode) Place)
{
    public static FileIdentity Of(SafeFileHandle file) => new(
        RandomAccess.GetLength(file),
        File.GetLastWriteTimeUtc(file),
        LibC.IsSupported && LibC.TryFacts(file, out FileFacts facts) ? facts.Identity : default);
}
