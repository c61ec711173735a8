using System.Collections.Immutable;
using System.Text;
using TypedWeights.Generators.Diagnostics;
using TypedWeights.Generators.Model;
using TypedWeights.Generators.Naming;

namespace TypedWeights.Generators.Parsing;

/// <summary>A class and its snapshot.</summary>
internal sealed record MatchSpec(ClassSpec Class, SnapshotContent Content);

/// <summary>Finds the snapshot of a class among those of the project.</summary>
internal static class SnapshotMatcher
{
    // With the extension, less than the 255 bytes of a file's name.
    private const int MostNameBytes = 200;
    private const int ShownOfLongName = 40;

    /// <returns>Null if <see cref="Explain"/> returns a problem.</returns>
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
                // One error is enough: the unreadable snapshot has its own.
                string own = @class.Name + SnapshotParser.Extension;
                return snapshots.Any(snapshot => snapshot.Problem is not null && IsNamed(snapshot, own))
                    ? null
                    : Problem.Of(
                        Descriptors.NoSnapshot,
                        @class.Source,
                        SnapshotCommand.For(@class, FreeName(@class, snapshots)),
                        LikelyOnes(@class, snapshots));
            default:
                string[] paths = [.. found.Select(static snapshot => snapshot.Path.Replace('\\', '/'))];
                int common = CommonFolder(paths);
                string files = string.Join(", ", paths.Select(path => path.Substring(common)).OrderBy(static name => name, StringComparer.Ordinal));
                return Problem.Of(Descriptors.SeveralSnapshots, @class.Source, TensorText.Number(found.Count), @class.Name, files);
        }
    }

    // The likeliest reasons: the attribute's text or the snapshot's was changed without the other's, or the class was renamed.
    private static string LikelyOnes(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        string own = @class.Name + SnapshotParser.Extension;
        string ofClass = Listed(snapshots
            .Where(snapshot => snapshot.Content?.Snapshot.Class == @class.Name)
            .Select(static snapshot => $"{FileName(snapshot.Path)} was taken of '{Shown(snapshot.Content!.Snapshot.Source)}'"));
        string ofName = Listed(snapshots
            .Where(snapshot => IsOfAnotherClass(snapshot, @class) && IsNamed(snapshot, own))
            .Select(static snapshot => $"{FileName(snapshot.Path)} is for the class '{Shown(snapshot.Content!.Snapshot.Class)}' "
                + $"and was taken of '{Shown(snapshot.Content.Snapshot.Source)}'"));
        return (ofClass.Length == 0 ? "" : $" (for a class of this name, {ofClass})") + (ofName.Length == 0 ? "" : $" ({ofName})");
    }

    private static string Listed(IEnumerable<string> texts) =>
        string.Join(", ", texts.Distinct(StringComparer.Ordinal).OrderBy(static text => text, StringComparer.Ordinal));

    // A file name that is short enough, and not that of the snapshot of another class.
    private static string FreeName(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        string name = Encoding.UTF8.GetByteCount(@class.Name) > MostNameBytes
            ? @class.Name.Substring(0, ShownOfLongName) + "." + StableHash.Suffix(@class.Name)
            : @class.Name;
        string free = name + SnapshotParser.Extension;
        for (int number = 2; snapshots.Any(snapshot => IsOfAnotherClass(snapshot, @class) && IsNamed(snapshot, free)); number++)
        {
            free = $"{name}.{TensorText.Number(number)}{SnapshotParser.Extension}";
        }

        return free;
    }

    private static bool IsOfAnotherClass(SnapshotSpec snapshot, ClassSpec @class) =>
        snapshot.Content is { } content && content.Snapshot.Class != @class.Name;

    private static bool IsNamed(SnapshotSpec snapshot, string name) =>
        string.Equals(FileName(snapshot.Path), name, StringComparison.OrdinalIgnoreCase);

    // The length of the folder that all paths share.
    private static int CommonFolder(string[] paths)
    {
        int length = 0;
        while (paths.All(path => length < path.Length && path[length] == paths[0][length]))
        {
            length++;
        }

        return length == 0 ? 0 : paths[0].LastIndexOf('/', length - 1) + 1;
    }

    private static string Shown(string source) => TensorText.Shortened(TensorText.Printable(source));

    // Two classes may hold the same source; each may then have a snapshot.
    private static List<SnapshotSpec> Candidates(ClassSpec @class, ImmutableArray<SnapshotSpec> snapshots)
    {
        List<SnapshotSpec> found = [.. snapshots.Where(snapshot => snapshot.Content?.Snapshot.Source == @class.Source)];
        List<SnapshotSpec> named = [.. found.Where(snapshot => snapshot.Content!.Snapshot.Class == @class.Name)];
        return found.Count > 1 && named.Count == 1 ? named : found;
    }

    private static string FileName(string path) => path.Substring(path.LastIndexOfAny(['/', '\\']) + 1);
}
