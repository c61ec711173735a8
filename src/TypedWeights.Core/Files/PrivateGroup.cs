namespace TypedWeights.Files;

/// <summary>
/// Groups of one user alone, as most Linux systems make one for each user: the group has the user's name, nobody else is listed in it, and it is
/// nobody else's own (primary) group. A folder that such a group may write to is as good as one that its user alone may write to.
/// </summary>
internal static class PrivateGroup
{
    private const string Root = "root";

    /// <summary>Whether a group is this user's or root's alone.</summary>
    /// <param name="group">The group's number.</param>
    public static bool Is(uint group) => LibC.Group(group) is var (name, members) && Is(name, members, Environment.UserName)

        // Many systems give root's group to accounts of their own, such as halt and sync.
        && (name == Root || (LibC.UsersOfGroup(group) is { } users && Is(name, users, name)));

    /// <summary>As <see cref="Is(uint)"/>, for a group that is known.</summary>
    internal static bool Is(string group, IReadOnlyList<string> members, string user) =>
        group.Length > 0 && (group == user || group == Root) && members.All(member => member == group);
}
