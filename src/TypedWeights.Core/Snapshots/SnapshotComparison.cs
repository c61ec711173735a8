namespace TypedWeights.Snapshots;

/// <summary>Compares a snapshot with what its source is now, by meaning and not by text.</summary>
internal static class SnapshotComparison
{
    /// <summary>Finds every difference.</summary>
    /// <param name="old">The snapshot.</param>
    /// <param name="live">A snapshot of the same source taken now.</param>
    /// <returns>The breaks of the contract in order of their names, then the differences that a load survives.</returns>
    public static IReadOnlyList<SnapshotDifference> Compare(WeightSnapshot old, WeightSnapshot live)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(live);
        SnapshotDifference[] names = [.. CompareNames(old, live)];
        IEnumerable<SnapshotDifference> layout = LayoutComparison.Compare(old, live, isNewHeader: names.Length > 0);
        return [.. names.Concat(layout).OrderBy(difference => !difference.IsDrift)];
    }

    // A tied name is as much a member of the generated class as a stored tensor; how it is stored is layout.
    private static IEnumerable<SnapshotDifference> CompareNames(WeightSnapshot old, WeightSnapshot live)
    {
        Dictionary<string, Entry> was = Named(old);
        Dictionary<string, Entry> now = Named(live);
        foreach (string name in was.Keys.Union(now.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (CompareEntry(was.GetValueOrDefault(name), now.GetValueOrDefault(name)) is var (kind, message))
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
        ({ }, null) => (SnapshotDifferenceKind.Tie, $"{was.Form} is gone; it was tied to {was.Tie}"),
        ({ }, { }) when was.DType != @is.DType || was.Shape != @is.Shape => (SnapshotDifferenceKind.ChangedTensor, $"{was.Form} became {@is.Form}"),
        ({ }, { }) when was.Tie == @is.Tie => null,
        ({ Tie: not null }, { Tie: not null }) => (SnapshotDifferenceKind.Tie, $"was tied to {was.Tie} and is tied to {@is.Tie}"),
        (_, { Tie: null }) => (SnapshotDifferenceKind.Layout, $"was tied to {was!.Tie} and is now stored separately"),
        _ => (SnapshotDifferenceKind.Layout, $"was stored separately and is now tied to {@is!.Tie}"),
    };

    private static Dictionary<string, Entry> Named(WeightSnapshot snapshot)
    {
        var entries = snapshot.Tensors.ToDictionary(
            static tensor => tensor.Name, static tensor => new Entry(tensor.DType, tensor.Shape, null), StringComparer.Ordinal);
        foreach ((string alias, string tensor) in TiedNames.Of(snapshot))
        {
            entries.Add(alias, entries[tensor] with { Tie = tensor });
        }

        return entries;
    }

    /// <param name="DType">The dtype.</param>
    /// <param name="Shape">The shape.</param>
    /// <param name="Tie">The tensor that the name stands for; null if the name is the name of a stored tensor.</param>
    private sealed record Entry(DType DType, TensorShape Shape, string? Tie)
    {
        /// <summary>Dtype and shape.</summary>
        public string Form => $"{DType.Name()} {Shape.ToShortString()}";
    }
}
