using TypedWeights.Errors;
using TypedWeights.Manifests;

namespace TypedWeights.Checkpoints;

/// <summary>The error of a pattern that matches no tensor, with the start of a name that was probably intended.</summary>
internal static class UnmatchedPattern
{
    /// <param name="where">The option that has the pattern.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="selection">The names of the checkpoint.</param>
    public static WeightsException Error(string where, NameGlob pattern, TensorSelection selection) => new(
        $"{where}: the pattern {Printable.Name(pattern.ToString())} matches none of the {selection.Names.Count} names"
            + (Near(pattern, selection) is { } near ? $"; one starts with {Printable.Name(near)}." : "."));

    // Names are compared as far as the pattern's own text goes.
    private static string? Near(NameGlob pattern, TensorSelection selection)
    {
        string example = pattern.Example.TrimEnd('.');
        int segments = example.Split('.').Length;
        return NearName.Find(
            example, selection.Names.Select(name => string.Join('.', name.Key.Split('.').Take(segments))).Distinct(StringComparer.Ordinal));
    }
}
