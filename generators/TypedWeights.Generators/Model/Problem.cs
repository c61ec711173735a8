using Microsoft.CodeAnalysis;

namespace TypedWeights.Generators.Model;

/// <summary>A diagnostic without its location, so that a model can contain it.</summary>
/// <param name="Id">The descriptor's id.</param>
/// <param name="Arguments">What the message names. Never the attribute's own text: it may hold a secret.</param>
internal sealed record Problem(string Id, EquatableArray<string> Arguments)
{
    /// <summary>The index of the placement that it concerns; null if it concerns the class.</summary>
    public int? Placement { get; init; }

    public static Problem Of(DiagnosticDescriptor descriptor, params string[] arguments) => new(descriptor.Id, new(arguments));
}
