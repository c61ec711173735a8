using System.Globalization;

namespace TypedWeights.Files;

/// <summary>
/// Whether other users of this machine can change what lies in a folder: write to it, or put another in its place because they may write to
/// a folder above it, or own one, or own a link on the way.
/// </summary>
/// <remarks>
/// Trusted are this user and root. Lists of rights (ACLs) are looked at on Linux, where they show in the mode; not on macOS, and on Windows
/// nothing is looked at.
/// </remarks>
internal static class FolderTrust
{
    private const uint Root = 0;
    private const string RootName = "root";

    // How users of another user namespace, the host's root among them, appear inside a container that has one of its own.
    private const uint Unmapped = 65534;

    private static readonly Lazy<bool> HasUnmappedUsers = new(FindUnmappedUsers);

    /// <summary>Explains why a folder, which need not exist yet, is not trusted.</summary>
    /// <returns>
    /// A sentence without its full stop that begins with a path; null where the folder is trusted, or this system cannot be asked. What
    /// may not be looked at cannot be read either, so nothing is said of it here.
    /// </returns>
    public static string? Refuse(string folder) => LibC.IsSupported ? Walk(Path.GetFullPath(folder), asParent: false) : null;

    /// <summary>As <see cref="Refuse"/>, for a folder in which this user has one of their own: others may make files in it if it is sticky.</summary>
    public static string? RefuseAsParent(string folder) => LibC.IsSupported ? Walk(Path.GetFullPath(folder), asParent: true) : null;

    /// <summary>As <see cref="Refuse"/>, for a file in a folder that is trusted; null too for what is not there, or is no regular file.</summary>
    public static string? RefuseFile(string path) =>
        LibC.IsSupported && LibC.TryFacts(path, out FileFacts facts, out _) && facts.IsFile ? Check(path, facts, isLast: true) : null;

    private static string? Walk(string folder, bool asParent)
    {
        foreach (PathWalk.Step step in PathWalk.Steps(folder))
        {
            if (step.Error != 0)
            {
                return step.Error is LibC.NotThere or LibC.NoFolder or LibC.Denied ? null : $"{step.Path} cannot be inspected (error {step.Error})";
            }

            if (step.Facts.IsLink)
            {
                if (!IsTrusted(step.Facts.Owner, isLast: false))
                {
                    return $"{step.Path} is a link that belongs to another user (uid {step.Facts.Owner})";
                }
            }
            else if (!step.Facts.IsFolder)
            {
                // The later use as a folder reports that it is a file.
                return null;
            }
            else if (Check(step.Path, step.Facts, isLast: step.IsLast && !asParent) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private static string? Check(string path, FileFacts facts, bool isLast)
    {
        if (!IsTrusted(facts.Owner, isLast))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{path} belongs to another user (uid {facts.Owner})");
        }

        // In a sticky folder, everybody may create files, and nobody may change the files of others.
        return MayOthersWrite(path, facts) && (isLast || !facts.IsSticky)
            ? $"{path} can be written by other users (mode {facts.ModeText})"
            : null;
    }

    private static bool IsTrusted(uint owner, bool isLast) =>
        owner == LibC.EffectiveUser() || owner == Root || (owner == Unmapped && !isLast && HasUnmappedUsers.Value);

    // Where there is a list of rights, the group's bits of the mode are the most that anybody in it has.
    private static bool MayOthersWrite(string path, FileFacts facts) => facts.OthersMayWrite
        || (facts.GroupMayWrite && (!IsPrivateGroup(facts.Group) || (OperatingSystem.IsLinux() && LibC.HasAccessList(path))));

    // Most Linux systems make a group for each user: it has the user's name, lists no other member, and is the primary group of nobody else.
    // A folder that such a group may write to is as good as one that only its user may write to. Many systems give root's group to accounts
    // such as halt and sync.
    private static bool IsPrivateGroup(uint group) => LibC.Group(group) is var (name, members) && IsPrivateGroup(name, members, Environment.UserName)
        && (name == RootName || (LibC.UsersOfGroup(group) is { } users && IsPrivateGroup(name, users, name)));

    /// <summary>Whether a group is a user's or root's alone.</summary>
    internal static bool IsPrivateGroup(string group, IReadOnlyList<string> members, string user) =>
        group.Length > 0 && (group == user || group == RootName) && members.All(member => member == group);

    // Where every user is mapped to itself, that number is a user like any other: nobody.
    private static bool FindUnmappedUsers()
    {
        try
        {
            string[] map = File.ReadAllText("/proc/self/uid_map").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return map is not ["0", "0", "4294967295"];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
