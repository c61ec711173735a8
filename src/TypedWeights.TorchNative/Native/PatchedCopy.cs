using System.Runtime.Versioning;
using System.Security.Cryptography;
using TypedWeights.Elf;
using TypedWeights.Files;

namespace TypedWeights.Native;

/// <summary>
/// The copy of a library that older systems can load, kept in a folder of this user's own under the digest of the original, so that
/// every application with the same TorchSharp shares one file, and another TorchSharp makes another.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class PatchedCopy
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Finds or makes the copy of <paramref name="original"/> below <paramref name="root"/>.</summary>
    /// <returns>The path of a file that holds exactly what patching the original gives.</returns>
    /// <exception cref="ElfFormatException">The original is damaged or cannot do without what the system lacks.</exception>
    /// <exception cref="IOException">The copy cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is not writable, or open to other users.</exception>
    public static string Ensure(ReadOnlySpan<byte> original, string fileName, CacheRoot root)
    {
        byte[] patched = WeakVersionPatch.Apply(original);
        string digest = Convert.ToHexStringLower(SHA256.HashData(original));
        string folder = PrivateFolder.Ensure(root.Folder, root.Name, "native", digest);
        string path = Path.Combine(folder, fileName);
        if (!IsWhole(path, patched))
        {
            Write(path, patched);
        }

        return path;
    }

    // Compared with the bytes themselves: they are at hand, and a digest could not say more.
    private static bool IsWhole(string path, ReadOnlySpan<byte> expected)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        FileFacts facts = LibC.Facts(path);
        return facts.IsFile && facts.IsPrivate && facts.Owner == LibC.EffectiveUser()
            && new FileInfo(path).Length == expected.Length
            && expected.SequenceEqual(SmallFile.ReadOwn(path, expected.Length));
    }

    // Renaming puts the whole file there or nothing: processes that start together may each write, and any of their equal files may win.
    // One that has an older file mapped keeps that one.
    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = ReplacementFile.Create(path, OwnerOnly, bytes.Length);
        file.Stream.Write(bytes);
        file.Commit();
    }
}
