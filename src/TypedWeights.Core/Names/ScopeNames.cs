using System.Globalization;

namespace TypedWeights;

/// <summary>A place in the tree of names: what the scopes of tensors and of paths have in common.</summary>
/// <param name="Index">All names.</param>
/// <param name="Prefix">The place's full name; null for the root, whose children have no dot before them.</param>
internal readonly record struct ScopeNames(NameIndex Index, string? Prefix)
{
    public ScopeNames Group(string segment) => this with { Prefix = Name(segment) };

    /// <summary>The place of a list's items.</summary>
    /// <param name="segment">The list's name; null when the numbers are children of the place itself.</param>
    public ScopeNames ListAt(string? segment) => segment is null ? this : Group(segment);

    public string Name(string? segment) => TensorName.Join(Prefix, segment);

    public bool HasGroup(string segment) => Index.HasPrefix(Name(segment) + ".");

    public bool HasItem(int number) => Index.Contains(Name(Segment(number))) || HasGroup(Segment(number));

    /// <summary>How many of the children 0, 1, … there are without a gap.</summary>
    public int CountItems(int most)
    {
        int count = 0;
        while (count < most && HasItem(count))
        {
            count++;
        }

        return count;
    }

    public static string Segment(int number) => number.ToString(CultureInfo.InvariantCulture);
}
