namespace TypedWeights.Generators.Model;

/// <summary>A provider of stores that an assembly names.</summary>
/// <param name="Type">Its type as generated code writes it.</param>
/// <param name="Schemes">The schemes it serves.</param>
internal sealed record ProviderSpec(string Type, EquatableArray<string> Schemes);
