namespace TypedWeights.Generators.Model;

/// <summary>
/// Everything that one generated file is written from: immutable, compared by value, without symbols, syntax or locations, so that
/// the file is generated again only if this changes.
/// </summary>
/// <param name="Class">The user's class.</param>
/// <param name="Manifest">The manifest's text.</param>
/// <param name="TensorCount">How many tensors there are, tied names not counted.</param>
/// <param name="Groups">The classes; the first is the root.</param>
/// <param name="Problems">The problems to report about names.</param>
internal sealed record ModelSpec(
    ClassSpec Class, string Manifest, int TensorCount, EquatableArray<GroupSpec> Groups, EquatableArray<Problem> Problems);

/// <summary>One class of the tree; it has a twin of paths.</summary>
/// <param name="Name">The name without <c>Weights</c> or <c>Paths</c>; empty for the root.</param>
/// <param name="Patterns">The raw names of the groups that it stands for.</param>
/// <param name="Members">Its properties.</param>
internal sealed record GroupSpec(string Name, EquatableArray<string> Patterns, EquatableArray<MemberSpec> Members)
{
    /// <summary>Whether a tensor has the group's own name.</summary>
    public bool HasValue => Members.Any(static member => member.Segment is null && member.Type is TensorType);
}

/// <summary>One property.</summary>
/// <param name="Name">The property's name.</param>
/// <param name="Segment">The raw segment; null for <c>Value</c> and <c>Items</c>, which have the group's own name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="IsOptional">Whether some groups of the class lack it.</param>
/// <param name="Summary">The first line of its documentation, as text.</param>
/// <param name="Remarks">Further paragraphs, as text.</param>
internal sealed record MemberSpec(
    string Name, string? Segment, TypeSpec Type, bool IsOptional, string Summary, EquatableArray<string> Remarks);

/// <summary>What a property or an item of a list is.</summary>
internal abstract record TypeSpec;

/// <summary>A tensor.</summary>
internal sealed record TensorType : TypeSpec;

/// <summary>A class of the tree.</summary>
/// <param name="Index">Its place in <see cref="ModelSpec.Groups"/>.</param>
internal sealed record GroupType(int Index) : TypeSpec;

/// <summary>Numbered children.</summary>
/// <param name="Numbers">Every number that occurs, ascending.</param>
/// <param name="IsDense">Whether they are 0..n-1 wherever the list occurs.</param>
/// <param name="Varies">Whether the list is longer in some places than in others.</param>
/// <param name="Item">What each item is.</param>
internal sealed record ListType(EquatableArray<int> Numbers, bool IsDense, bool Varies, TypeSpec Item) : TypeSpec;
