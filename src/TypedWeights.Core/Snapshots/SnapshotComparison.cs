using TypedWeights.Manifests;

namespace TypedWeights.Snapshots;

/// <summary>Compares a snapshot with what its source is now, by meaning and not by text.</summary>
public static class SnapshotComparison
{
    /// <summary>Finds every difference.</summary>
    /// <param name="old">The snapshot.</param>
    /// <param name="live">A snapshot of the same source taken now.</param>
    /// <returns>The breaks of the contract in order of their names, then the differences that a load survives.</returns>
    public static IReadOnlyList<SnapshotDifference> Compare(WeightSnapshot old, WeightSnapshot live)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(live);
        SnapshotDifference[] names = [.. CompareNames(Named(old), Named(live))];
        IEnumerable<SnapshotDifference> layout = LayoutComparison.Compare(old, live, isNewHeader: names.Length > 0);
        return [.. names.Concat(layout).OrderBy(difference => !difference.IsDrift)];
    }

    // A tied name is as much a member of the generated class as one that is stored; how it is stored is layout.
    private static IEnumerable<SnapshotDifference> CompareNames(Dictionary<string, Entry> before, Dictionary<string, Entry> now)
    {
        foreach (string name in before.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            Entry? was = before.GetValueOrDefault(name);
            Entry? @is = now.GetValueOrDefault(name);
            if (CompareEntry(was, @is) is var (kind, message))
            {
                yield return new SnapshotDifference(kind, name, message);
            }
        }
    }

    private static (SnapshotDifferenceKind Kind, string Message)? CompareEntry(Entry? was, Entry? @is) => (was, @is) switch
    {
        (null, { Tie: null }) => (SnapshotDifferenceKind.NewTensor, $"{@is.Form} is new"),
        (null, { }) => (SnapshotDifferenceKind.Tie, $"{@is.Form} is new, tied to {@is.Tie}"),
        ({ Tie: null }, null) => (SnapshotDifferenceKind.MissingTensor, $"{was.Form} is gone"),
        ({ }, null) => (SnapshotDifferenceKind.Tie, $"{was.Form} is gone, which was tied to {was.Tie}"),
        ({ }, { }) when was.Form != @is.Form => (SnapshotDifferenceKind.ChangedTensor, $"{was.Form} became {@is.Form}"),
        ({ }, { }) when was.Tie == @is.Tie => null,
        ({ Tie: not null }, { Tie: not null }) => (SnapshotDifferenceKind.Tie, $"was tied to {was.Tie} and is tied to {@is.Tie}"),
        (_, { Tie: null }) => (SnapshotDifferenceKind.Layout, $"was tied to {was!.Tie} and is stored for itself"),
        _ => (SnapshotDifferenceKind.Layout, $"was stored for itself and is tied to {@is!.Tie}"),
    };

    private static Dictionary<string, Entry> Named(WeightSnapshot snapshot)
    {
        var named = new Dictionary<string, Entry>(StringComparer.Ordinal);
        foreach (SnapshotTensor tensor in snapshot.Tensors)
        {
            named.Add(tensor.Name, new Entry($"{tensor.DType.Name()} {tensor.Shape}", null));
        }

        foreach ((string alias, string target) in TiedNames.Of(snapshot))
        {
            named.Add(alias, named[target] with { Tie = target });
        }

        return named;
    }

    /// <param name="Form">Dtype and shape.</param>
    /// <param name="Tie">The tensor that the name stands for; null where it is one itself.</param>
    private sealed record Entry(string Form, string? Tie);
}
