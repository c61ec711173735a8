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

    /// <summary>Puts what has the same name in two sequences together, each in ordinal order of the names.</summary>
    internal static IEnumerable<(T? Old, T? Live)> Pairs<T>(IEnumerable<T> old, IEnumerable<T> live, Func<T, string> name)
        where T : class
    {
        using IEnumerator<T> before = old.GetEnumerator();
        using IEnumerator<T> now = live.GetEnumerator();
        T? was = Next(before);
        T? @is = Next(now);
        while (was is not null || @is is not null)
        {
            int order = was is null ? 1 : @is is null ? -1 : string.CompareOrdinal(name(was), name(@is));
            yield return (order <= 0 ? was : null, order >= 0 ? @is : null);
            was = order <= 0 ? Next(before) : was;
            @is = order >= 0 ? Next(now) : @is;
        }

        static T? Next(IEnumerator<T> items) => items.MoveNext() ? items.Current : null;
    }

    // A tied name is as much a member of the generated class as one that is stored; how it is stored is layout.
    private static IEnumerable<SnapshotDifference> CompareNames(WeightSnapshot old, WeightSnapshot live)
    {
        foreach ((Entry? was, Entry? @is) in Pairs(Named(old), Named(live), static entry => entry.Name))
        {
            if (CompareEntry(was, @is) is var (kind, message))
            {
                yield return new SnapshotDifference(kind, (was ?? @is)!.Name, message);
            }
        }
    }

    private static (SnapshotDifferenceKind Kind, string Message)? CompareEntry(Entry? was, Entry? @is) => (was, @is) switch
    {
        (null, { Tie: null }) => (SnapshotDifferenceKind.NewTensor, $"{@is.Form} is new"),
        (null, { }) => (SnapshotDifferenceKind.Tie, $"{@is.Form} is new, tied to {@is.Tie}"),
        ({ Tie: null }, null) => (SnapshotDifferenceKind.MissingTensor, $"{was.Form} is gone"),
        ({ }, null) => (SnapshotDifferenceKind.Tie, $"{was.Form} is gone, which was tied to {was.Tie}"),
        ({ }, { }) when was.DType != @is.DType || was.Shape != @is.Shape => (SnapshotDifferenceKind.ChangedTensor, $"{was.Form} became {@is.Form}"),
        ({ }, { }) when was.Tie == @is.Tie => null,
        ({ Tie: not null }, { Tie: not null }) => (SnapshotDifferenceKind.Tie, $"was tied to {was.Tie} and is tied to {@is.Tie}"),
        (_, { Tie: null }) => (SnapshotDifferenceKind.Layout, $"was tied to {was!.Tie} and is stored for itself"),
        _ => (SnapshotDifferenceKind.Layout, $"was stored for itself and is tied to {@is!.Tie}"),
    };

    // In ordinal order, and one at a time: there may be a million.
    private static IEnumerable<Entry> Named(WeightSnapshot snapshot)
    {
        IEnumerable<Entry> stored = SnapshotWriter.InOrder(snapshot.Tensors, static tensor => tensor.Name)
            .Select(static tensor => new Entry(tensor.Name, tensor.DType, tensor.Shape, null));
        List<KeyValuePair<string, string>> ties = TiedNames.Of(snapshot);
        if (ties.Count == 0)
        {
            return stored;
        }

        var targets = ties.Select(static tie => tie.Value).ToHashSet(StringComparer.Ordinal);
        var byName = snapshot.Tensors.Where(tensor => targets.Contains(tensor.Name))
            .ToDictionary(static tensor => tensor.Name, StringComparer.Ordinal);
        return stored.Concat(ties.Select(tie => new Entry(tie.Key, byName[tie.Value].DType, byName[tie.Value].Shape, tie.Value)))
            .OrderBy(static entry => entry.Name, StringComparer.Ordinal);
    }

    /// <param name="Name">The name.</param>
    /// <param name="DType">The dtype.</param>
    /// <param name="Shape">The shape.</param>
    /// <param name="Tie">The tensor that the name stands for; null where it is one itself.</param>
    private sealed record Entry(string Name, DType DType, TensorShape Shape, string? Tie)
    {
        /// <summary>Dtype and shape.</summary>
        public string Form => $"{DType.Name()} {Shape.ToShortString()}";
    }
}
