using Microsoft.CodeAnalysis;
using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Parsing;

/// <summary>
/// A class with the attribute as one compilation has it. It holds a live location, so that <c>#pragma warning disable</c> reaches what
/// is reported there, and therefore never enters a model: only <see cref="Spec"/> goes on.
/// </summary>
/// <param name="Spec">The declaration; null if no code can be generated for the class.</param>
/// <param name="Problems">Why no code can be generated.</param>
/// <param name="Location">The attribute.</param>
/// <param name="Placements">The attributes of <see cref="ClassSpec.Placements"/>.</param>
internal sealed record ClassCandidate(
    ClassSpec? Spec, EquatableArray<Problem> Problems, Location Location, IReadOnlyList<Location> Placements)
{
    /// <summary>The location of a problem.</summary>
    public Location Of(Problem problem) => problem.Placement is { } index && index < Placements.Count ? Placements[index] : Location;
}
