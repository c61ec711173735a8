using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Parsing;

namespace TypedWeights.Generators.Tree;

/// <summary>A model, or the reason why a class has no model.</summary>
/// <param name="HintName">The generated file's name.</param>
/// <param name="Spec">The model; null if it could not be built.</param>
/// <param name="Problems">The problems to report.</param>
internal sealed record ModelResult(string HintName, ModelSpec? Spec, EquatableArray<Problem> Problems)
{
    /// <summary>Builds a model.</summary>
    /// <remarks>A defect becomes a diagnostic that names it: an exception would take every other class along (CS8785).</remarks>
    public static ModelResult Of(MatchSpec match, CancellationToken cancellationToken)
    {
        try
        {
            ModelSpec spec = ModelBuilder.Build(match.Class, match.Content.Snapshot, cancellationToken);
            return new ModelResult(match.Class.HintName, spec, spec.Problems);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new ModelResult(match.Class.HintName, null, new([Failure(match.Class, e)]));
        }
    }

    public static Problem Failure(ClassSpec @class, Exception e) =>
        Problem.Of(Descriptors.Failed, @class.Name, $"{e.GetType().Name}: {e.Message}");
}
