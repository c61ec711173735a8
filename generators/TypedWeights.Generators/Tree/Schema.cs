namespace TypedWeights.Generators.Tree;

/// <summary>The form of a part of the tree. Two parts of the same form are the same object: see <see cref="SchemaPool"/>.</summary>
internal abstract class Schema(int id)
{
    /// <summary>The number of the form in the pool. It depends on the order in which forms were created, so no output contains it.</summary>
    public int Id { get; } = id;
}

/// <summary>A tensor, or tensors that items of a list have in the same place.</summary>
internal sealed class TensorSchema(int id, IReadOnlyList<(DType DType, TensorShape Shape)> variants) : Schema(id)
{
    /// <summary>The dtypes and shapes that occur, in the order of their text.</summary>
    public IReadOnlyList<(DType DType, TensorShape Shape)> Variants { get; } = variants;
}

/// <summary>Numbered children.</summary>
internal sealed class ListSchema(int id, int[] numbers, bool isDense, bool varies, Schema item) : Schema(id)
{
    /// <summary>Every number that occurs, ascending.</summary>
    public int[] Numbers { get; } = numbers;

    /// <summary>Whether they are 0..n-1 wherever the list occurs.</summary>
    public bool IsDense { get; } = isDense;

    /// <summary>Whether lists of different numbers have been merged.</summary>
    public bool Varies { get; } = varies;

    public Schema Item { get; } = item;
}

/// <summary>A group: what becomes a class.</summary>
internal sealed class GroupSchema(int id, IReadOnlyList<SchemaMember> members) : Schema(id)
{
    /// <summary>The group's own tensor, its words in ordinal order, its numbers.</summary>
    public IReadOnlyList<SchemaMember> Members { get; } = members;
}

/// <summary>What a group has in one place.</summary>
/// <param name="Kind">Whether the member has a separate name.</param>
/// <param name="Segment">The raw name; empty for a kind without one.</param>
/// <param name="Schema">Its form.</param>
/// <param name="IsOptional">Whether it is absent in some of the items that have been merged.</param>
internal sealed record SchemaMember(MemberKind Kind, string Segment, Schema Schema, bool IsOptional);

/// <summary>The kinds of members, in the order of the members of a group.</summary>
internal enum MemberKind
{
    /// <summary>The tensor that has the group's own name.</summary>
    Value,

    /// <summary>A child with a name.</summary>
    Word,

    /// <summary>The numbered children of a group that has others too.</summary>
    Items,
}
