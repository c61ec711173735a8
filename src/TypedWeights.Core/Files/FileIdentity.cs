using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>Which file it is, and in which state: what a file that is opened again must still have.</summary>
/// <param name="Length">Its length.</param>
/// <param name="Modified">When it was last written to.</param>
/// <param name="Place">Its file system and its number there; zeros where the system does not say.</param>
internal readonly record struct FileIdentity(long Length, DateTime Modified, (ulong Device, ulong Inode) Place)
{
    public static FileIdentity Of(SafeFileHandle file) => new(
        RandomAccess.GetLength(file),
        File.GetLastWriteTimeUtc(file),
        LibC.IsSupported && LibC.TryFacts(file, out FileFacts facts) ? facts.Identity : default);
}
