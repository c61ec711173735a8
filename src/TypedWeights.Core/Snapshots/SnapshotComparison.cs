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
        return [.. CompareContract(old, live).OrderBy(difference => difference.Name, StringComparer.Ordinal), .. LayoutComparison.Compare(old, live)];
    }

    private static IEnumerable<SnapshotDifference> CompareContract(WeightSnapshot old, WeightSnapshot live)
    {
        Dictionary<string, SnapshotTensor> before = ByName(old);
        Dictionary<string, SnapshotTensor> now = ByName(live);
        Dictionary<string, string> tiesBefore = Ties(old, before);
        Dictionary<string, string> tiesNow = Ties(live, now);
        foreach ((string name, SnapshotTensor was) in before)
        {
            if (!now.TryGetValue(name, out SnapshotTensor? @is))
            {
                string tied = tiesNow.TryGetValue(name, out string? target) ? $", the source now ties the name to {target}" : "";
                yield return new(SnapshotDifferenceKind.MissingTensor, name, $"{Describe(was)} is gone{tied}");
            }
            else if (Describe(was) != Describe(@is))
            {
                yield return new(SnapshotDifferenceKind.ChangedTensor, name, $"{Describe(was)} became {Describe(@is)}");
            }
        }

        foreach ((string name, SnapshotTensor @is) in now)
        {
            // A tied name that is now stored in full is a copy, which a load takes or leaves.
            bool copy = tiesBefore.TryGetValue(name, out string? target) && Describe(before[target]) == Describe(@is);
            if (!before.ContainsKey(name) && !copy)
            {
                yield return new(SnapshotDifferenceKind.NewTensor, name, $"{Describe(@is)} is new");
            }
        }

        foreach ((string name, string target) in tiesBefore)
        {
            if (!tiesNow.TryGetValue(name, out string? other) && !now.ContainsKey(name))
            {
                yield return new(SnapshotDifferenceKind.Tie, name, $"is no longer tied to {target}, nor a tensor");
            }
            else if (other is not null && other != target)
            {
                yield return new(SnapshotDifferenceKind.Tie, name, $"was tied to {target} and is tied to {other}");
            }
        }

        foreach ((string name, string target) in tiesNow)
        {
            if (!tiesBefore.ContainsKey(name) && !before.ContainsKey(name))
            {
                yield return new(SnapshotDifferenceKind.Tie, name, $"is now tied to {target}");
            }
        }
    }

    internal static Dictionary<string, SnapshotTensor> ByName(WeightSnapshot snapshot) =>
        snapshot.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);

    private static string Describe(SnapshotTensor tensor) => $"{tensor.DType.Name()} {tensor.Shape}";

    private static Dictionary<string, string> Ties(WeightSnapshot snapshot, Dictionary<string, SnapshotTensor> tensors)
    {
        var ties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string alias, string target) in snapshot.Files.SelectMany(file => file.Metadata))
        {
            if (!tensors.ContainsKey(alias) && tensors.ContainsKey(target))
            {
                ties.TryAdd(alias, target);
            }
        }

        return ties;
    }
}
