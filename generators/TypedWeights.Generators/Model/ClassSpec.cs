namespace TypedWeights.Generators.Model;

/// <summary>The declaration of a class, without symbols, syntax or location.</summary>
/// <param name="Namespace">The namespace as C# writes it; empty for the global one.</param>
/// <param name="Containers">The types around the class, outermost first.</param>
/// <param name="Name">The class's name in metadata.</param>
/// <param name="HintName">The generated file's name, distinct without regard to case.</param>
/// <param name="Source">What may be shown of the attribute's URI.</param>
/// <param name="Members">Names that the class declares or inherits, in ordinal order.</param>
internal sealed record ClassSpec(
    string Namespace,
    EquatableArray<ContainerSpec> Containers,
    string Name,
    string HintName,
    string Source,
    EquatableArray<string> Members)
{
    /// <summary>The placements of the weights that the class declares.</summary>
    public EquatableArray<PlacementSpec> Placements { get; init; }

    /// <summary>The class from anywhere: <c>global::Demo.Outer.Mistral7B</c>.</summary>
    public string FullName => "global::"
        + string.Join(".", new[] { Namespace }.Where(static name => name.Length > 0)
            .Concat(Containers.Select(static container => container.Name))
            .Concat([Naming.Identifiers.Written(Name)]));
}

/// <summary>One <c>[PlaceWeights]</c>, as it is written.</summary>
/// <param name="Pattern">Which weights.</param>
/// <param name="Device">Where to.</param>
internal sealed record PlacementSpec(string Pattern, string Device);

/// <summary>A type around the class.</summary>
/// <param name="Keyword"><c>class</c>, <c>record struct</c>, …</param>
/// <param name="Name">The name as C# writes it.</param>
internal sealed record ContainerSpec(string Keyword, string Name);
