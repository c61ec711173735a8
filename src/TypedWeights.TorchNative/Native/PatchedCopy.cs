using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using TypedWeights.Elf;
using TypedWeights.Files;

namespace TypedWeights.Native;

/// <summary>
/// The copy of a library that older systems can load, in a private folder of this user under the digest of the original, so that every
/// application with the same TorchSharp shares one file, and another TorchSharp makes another.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class PatchedCopy
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute;

    /// <summary>Finds or makes the copy of <paramref name="original"/> below <paramref name="root"/>.</summary>
    /// <returns>The path of a file that has exactly the bytes of the patched original.</returns>
    /// <exception cref="ElfFormatException">The original is damaged or really needs what the system lacks.</exception>
    /// <exception cref="IOException">The copy cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is not writable, or open to other users.</exception>
    public static string Ensure(ReadOnlySpan<byte> original, string fileName, CacheRoot root)
    {
        byte[] patched = WeakVersionPatch.Apply(original);
        string digest = Convert.ToHexStringLower(SHA256.HashData(original));
        string path = Path.Combine(EnsureFolder(root.Folder, root.Name, "native", digest), fileName);
        if (!IsWhole(path, patched))
        {
            // Renaming puts the whole file there or nothing: processes that start together may each write, and any of their equal files may
            // remain. A process that has an older file mapped keeps that file.
            using var file = ReplacementFile.Create(path, FileMode, patched.Length);
            file.Stream.Write(patched);
            file.Commit();
        }

        return path;
    }

    /// <summary>
    /// Makes <paramref name="names"/>, one in the other, below <paramref name="root"/>, and checks those that exist: no other user may put or
    /// replace anything there, as a library that is loaded from there runs with this user's rights.
    /// </summary>
    /// <returns>The innermost folder, its path free of links.</returns>
    /// <exception cref="IOException">A folder cannot be made or examined.</exception>
    /// <exception cref="UnauthorizedAccessException">One of them belongs to or is open to another user.</exception>
    internal static string EnsureFolder(string root, params ReadOnlySpan<string> names)
    {
        Directory.CreateDirectory(root, FolderMode);
        string path = PathWalk.EndOf(root).Last.Path;

        // A user who may rename a folder further up can replace everything below it.
        if (FolderTrust.RefuseAsParent(path) is { } reason)
        {
            throw new UnauthorizedAccessException(reason);
        }

        foreach (string name in names)
        {
            path = Path.Combine(path, name);
            Directory.CreateDirectory(path, FolderMode);
            FileFacts facts = LibC.Facts(path);
            if (!facts.IsFolder || facts.Owner != LibC.EffectiveUser() || !facts.IsPrivate)
            {
                throw new UnauthorizedAccessException(
                    $"{path} is not a folder that only this user can enter (mode 0700): remove it, or correct its owner and mode");
            }
        }

        return path;
    }

    // Compares the bytes themselves: they are in memory, so a digest has no advantage.
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
}

/// <summary>A folder that may hold the copies: an existing folder, and the name of our own folder in it.</summary>
internal sealed record CacheRoot(string Folder, string Name)
{
    /// <summary>Where to try, best first: the user's cache, then the system's temporary folder under a name of this user's.</summary>
    [SupportedOSPlatform("linux")]
    public static IReadOnlyList<CacheRoot> All()
    {
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? "";
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var temporary = new CacheRoot(
            Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"typedweights-{LibC.EffectiveUser()}"));

        // The XDG rules require that a relative path is ignored.
        return Path.IsPathFullyQualified(cache) ? [new CacheRoot(cache, "typedweights"), temporary]
            : home.Length > 0 ? [new CacheRoot(Path.Combine(home, ".cache"), "typedweights"), temporary]
            : [temporary];
    }
}
