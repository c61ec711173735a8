namespace TypedWeights.Interop.Native;

/// <summary>A file's owner and mode, as Linux keeps them.</summary>
internal readonly record struct FileFacts(uint Owner, ushort Mode)
{
    private const int KindMask = 0xf000;
    private const int RegularFileKind = 0x8000;
    private const int FolderKind = 0x4000;
    private const int OthersMayWrite = 0x12;
    private const int OthersMayAnything = 0x3f;
    private const int Sticky = 0x200;

    public bool IsFile => (Mode & KindMask) == RegularFileKind;

    public bool IsFolder => (Mode & KindMask) == FolderKind;

    /// <summary>Whether the mode gives nothing to the group or to others.</summary>
    public bool IsPrivate => (Mode & OthersMayAnything) == 0;

    /// <summary>Whether other users may rename or replace what lies in this folder (a sticky one such as /tmp says no).</summary>
    public bool LetsOthersReplace => (Mode & OthersMayWrite) != 0 && (Mode & Sticky) == 0;
}
