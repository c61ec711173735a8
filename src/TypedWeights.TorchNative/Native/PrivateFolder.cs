using System.Runtime.Versioning;
using TypedWeights.Files;

namespace TypedWeights.Native;

/// <summary>
/// A folder in which no other user can put or replace anything: a library loaded from it runs with this user's rights.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class PrivateFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes <paramref name="names"/>, one in the other, below <paramref name="root"/>, and checks those that exist.</summary>
    /// <returns>The innermost folder, its path free of links.</returns>
    /// <exception cref="IOException">A folder cannot be made or looked at.</exception>
    /// <exception cref="UnauthorizedAccessException">One of them belongs to or is open to another user.</exception>
    public static string Ensure(string root, params ReadOnlySpan<string> names)
    {
        Directory.CreateDirectory(root, OwnerOnly);
        string path = PathWalk.EndOf(root).Last.Path;
        CheckWay(path);
        foreach (string name in names)
        {
            path = Path.Combine(path, name);
            Directory.CreateDirectory(path, OwnerOnly);
            CheckOwn(path);
        }

        return path;
    }

    private static void CheckOwn(string folder)
    {
        FileFacts facts = LibC.Facts(folder);
        if (!facts.IsFolder || facts.Owner != LibC.EffectiveUser() || !facts.IsPrivate)
        {
            throw new UnauthorizedAccessException(
                $"{folder} is not a folder that only this user can enter (mode 0700): remove it, or mend its owner and mode");
        }
    }

    // Whoever may rename a folder further up can put another in the place of all that is below it.
    private static void CheckWay(string path)
    {
        if (FolderTrust.RefuseAsParent(path) is { } reason)
        {
            throw new UnauthorizedAccessException(reason);
        }
    }
}
