namespace TypedWeights.Generators.Naming;

/// <summary>
/// Gives each member of a group its property's name. A name depends on the raw names of the group and on what is reserved, never on an
/// order, so adding or removing a tensor renames only the tensors that it collides with.
/// </summary>
internal static class MemberNames
{
    public const string Value = "Value";
    public const string Items = "Items";

    /// <summary>What every class has, and what generated groups have.</summary>
    public static readonly IReadOnlyList<string> OfEveryClass =
    [
        "Equals", "Finalize", "GetHashCode", "GetType", "MemberwiseClone", "ReferenceEquals", "ToString", "WhenReadyAsync",
    ];

    /// <summary>What generated code declares in the user's class, and will.</summary>
    public static readonly IReadOnlyList<string> OfTheRoot =
    [
        "BeginLoadAsync", "Bind", "Detach", "Dispose", "DisposeAsync", "LoadAsync", "Manifest", "OnBound", "Paths", RootPaths, "SaveAsync",
        "Weights",
    ];

    /// <summary>The class of the paths of the root.</summary>
    public const string RootPaths = "RootPaths";

    /// <param name="segments">The distinct raw names of a group's named members.</param>
    /// <param name="reserved">Names that must not be used.</param>
    /// <returns>The property of each raw name.</returns>
    public static Dictionary<string, string> Of(IEnumerable<string> segments, ISet<string> reserved)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (IGrouping<string, string> same in segments.GroupBy(Identifiers.Pascal, StringComparer.Ordinal))
        {
            string[] alike = [.. same];
            foreach (string segment in alike)
            {
                // Of several that would be FooBar the one that is FooBar keeps the name.
                bool suffixed = alike.Length > 1 && (segment != same.Key || reserved.Contains(same.Key));
                string name = suffixed
                    ? same.Key + "_" + StableHash.Suffix(segment)
                    : reserved.Contains(same.Key) ? same.Key + "_" : same.Key;
                if (!taken.Add(name))
                {
                    // Two raw names of one group with equal hashes: possible, never seen.
                    name = same.Key + "_" + StableHash.LongSuffix(StableHash.Add(StableHash.Seed, segment));
                    taken.Add(name);
                }

                names.Add(segment, name);
            }
        }

        return names;
    }
}
