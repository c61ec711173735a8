namespace TypedWeights.Files;

/// <summary>
/// Groups of one user alone, as most Linux systems make one for each user: the group has the user's name, and nobody else is listed in it.
/// A folder that such a group may write to is as good as one that its user alone may write to.
/// </summary>
internal static class PrivateGroup
{
    private const string Root = "root";

    /// <summary>Whether a group is this user's or root's alone.</summary>
    /// <param name="group">The group's number.</param>
    public static bool Is(uint group) => LibC.Group(group) is var (name, members) && Is(name, members, Environment.UserName);

    /// <summary>As <see cref="Is(uint)"/>, for a group that is known.</summary>
    internal static bool Is(string group, IReadOnlyList<string> members, string user) =>
        group.Length > 0 && (group == user || group == Root) && members.All(member => member == group);
}
