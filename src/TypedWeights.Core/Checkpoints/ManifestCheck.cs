namespace TypedWeights.Checkpoints;

/// <summary>
/// Holds the live headers against what a class was generated for. Name, dtype and shape are the contract; files, offsets, order and
/// sharding are not.
/// </summary>
internal static class ManifestCheck
{
    /// <summary>Finds the tensor for every name of the manifest.</summary>
    /// <returns>What to read.</returns>
    /// <exception cref="WeightMismatchException">A name is missing or different or, unless ignored, unexpected.</exception>
    public static TensorSelection Run(WeightManifest manifest, Checkpoint checkpoint, UnexpectedTensors unexpected)
    {
        var partners = Partners(manifest);
        var found = new List<KeyValuePair<string, string>>();
        var mismatches = new List<WeightMismatch>();
        var missing = new List<(string Name, string Expected)>();
        foreach (WeightPath path in manifest.Paths)
        {
            if (FindTensor(path.Name, checkpoint, partners) is not { } name)
            {
                missing.Add((path.Name, Describe(path.DType, path.Shape)));
                continue;
            }

            TensorInfo live = checkpoint.Tensors[name].Info;
            if (live.DType != path.DType || live.Shape != path.Shape)
            {
                mismatches.Add(new WeightMismatch(
                    MismatchKind.Different, path.Name, Describe(path.DType, path.Shape), Describe(live.DType, live.Shape), null));
            }

            found.Add(KeyValuePair.Create(path.Name, name));
        }

        List<string> unknown = Unknown(manifest, checkpoint, found);
        mismatches.AddRange(missing.Select(
            (item, index) => new WeightMismatch(
                MismatchKind.Missing, item.Name, item.Expected, null, index < MostNearNames ? NearName.Find(item.Name, unknown) : null)));
        if (unexpected == UnexpectedTensors.Error)
        {
            mismatches.AddRange(unknown.Select(name => checkpoint.Tensors[name].Info).Select(
                info => new WeightMismatch(MismatchKind.Unexpected, info.Name, null, Describe(info.DType, info.Shape), null)));
        }

        return mismatches.Count == 0
            ? TensorSelection.Of(checkpoint, found)
            : throw new WeightMismatchException(checkpoint.Uri.Display, Sorted(mismatches));
    }

    // Two thousand missing names need no two thousand searches.
    private const int MostNearNames = 100;

    // A tied name may be there as itself, as an entry of the metadata, or through its partner: files of one model are saved with either
    // name, or with both.
    private static string? FindTensor(string name, Checkpoint checkpoint, Dictionary<string, string> partners)
    {
        // A tied pair shares one storage also where the file has a copy for each name: the kept name's is read.
        if (partners.TryGetValue(name, out string? kept) && checkpoint.Tensors.ContainsKey(kept))
        {
            return kept;
        }

        if (checkpoint.Tensors.ContainsKey(name))
        {
            return name;
        }

        if (checkpoint.Ties.TryGetValue(name, out string? recorded))
        {
            return recorded;
        }

        return partners.FirstOrDefault(pair => pair.Value == name && checkpoint.Tensors.ContainsKey(pair.Key)).Key;
    }

    private static Dictionary<string, string> Partners(WeightManifest manifest) =>
        manifest.Ties.ToDictionary(tie => tie.Key, tie => tie.Value, StringComparer.Ordinal);

    private static List<string> Unknown(WeightManifest manifest, Checkpoint checkpoint, List<KeyValuePair<string, string>> found)
    {
        HashSet<string> known = new(found.Select(pair => pair.Value), StringComparer.Ordinal);
        known.UnionWith(manifest.Paths.Select(path => path.Name));
        return [.. checkpoint.Tensors.Keys.Where(name => !known.Contains(name)).Order(StringComparer.Ordinal)];
    }

    private static List<WeightMismatch> Sorted(List<WeightMismatch> mismatches) =>
    [
        .. mismatches.OrderBy(mismatch => mismatch.Kind switch
            {
                MismatchKind.Missing => 0,
                MismatchKind.Different => 1,
                _ => 2,
            })
            .ThenBy(mismatch => mismatch.Name, StringComparer.Ordinal),
    ];

    private static string Describe(DType dtype, TensorShape shape) => $"{dtype.Name()} {shape.ToShortString()}";
}
