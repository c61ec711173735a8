using System.Collections.Immutable;
using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;

namespace TypedWeights.Generators.Parsing;

/// <summary>A class and its snapshot.</summary>
internal sealed record MatchSpec(ClassSpec Class, SnapshotContent Content);

/// <summary>Finds the snapshot of a class among those of the project.</summary>
internal static class SnapshotMatcher
{
    /// <returns>Null where <see cref="Explain"/> has something to say.</returns>
    public static MatchSpec? Match(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        List<SnapshotSpec> found = Candidates(@class, snapshots);
        return found.Count == 1 ? new MatchSpec(@class, found[0].Content!) : null;
    }

    /// <summary>Why there is not exactly one.</summary>
    public static Problem? Explain(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        List<SnapshotSpec> found = Candidates(@class, snapshots);
        switch (found.Count)
        {
            case 1:
                return null;
            case 0:
                // One error is enough: the snapshot's own says what is wrong with it.
                string own = @class.Name + SnapshotParser.Extension;
                bool isUnreadable = snapshots.Any(snapshot => snapshot.Problem is not null
                    && string.Equals(FileName(snapshot.Path), own, StringComparison.OrdinalIgnoreCase));
                return isUnreadable
                    ? null
                    : Problem.Of(Descriptors.NoSnapshot, @class.Source, SnapshotCommand.For(@class), OfOtherSource(@class, snapshots));
            default:
                IEnumerable<string> names = found.Select(static snapshot => FileName(snapshot.Path));
                string files = string.Join(", ", names.OrderBy(static name => name, StringComparer.Ordinal));
                return Problem.Of(Descriptors.SeveralSnapshots, @class.Source, TensorText.Number(found.Count), @class.Name, files);
        }
    }

    // The likeliest reason: the attribute's text or the snapshot's was changed without the other's.
    private static string OfOtherSource(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        IEnumerable<string> found = snapshots
            .Where(snapshot => snapshot.Content?.Snapshot.Class == @class.Name)
            .Select(static snapshot => $"{FileName(snapshot.Path)} was taken of '{Shown(snapshot.Content!.Snapshot.Source)}'")
            .OrderBy(static text => text, StringComparer.Ordinal);
        string joined = string.Join(", ", found);
        return joined.Length == 0 ? "" : $" (for a class of this name, {joined})";
    }

    private static string Shown(string source) => TensorText.Shortened(TensorText.Printable(source));

    // Two classes may hold the same source; each may then have a snapshot of its own.
    private static List<SnapshotSpec> Candidates(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        List<SnapshotSpec> found = [.. snapshots.Where(snapshot => snapshot.Content?.Snapshot.Source == @class.Source)];
        List<SnapshotSpec> named = [.. found.Where(snapshot => snapshot.Content!.Snapshot.Class == @class.Name)];
        return found.Count > 1 && named.Count == 1 ? named : found;
    }

    private static string FileName(string path) => path.Substring(path.LastIndexOfAny(['/', '\\']) + 1);
}
