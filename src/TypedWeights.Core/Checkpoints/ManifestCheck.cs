namespace TypedWeights.Checkpoints;

/// <summary>
/// Compares the live headers with what a class was generated for. Name, dtype and shape are the contract; files, offsets, order and
/// sharding are not.
/// </summary>
internal static class ManifestCheck
{
    // A search for each of two thousand missing names would take too long.
    private const int MostNearNames = 100;

    /// <summary>Finds the tensor for every name of the manifest.</summary>
    /// <returns>The tensors to read.</returns>
    /// <exception cref="WeightMismatchException">A name is missing or different or, unless ignored, unexpected.</exception>
    public static TensorSelection Run(WeightManifest manifest, Checkpoint checkpoint, UnexpectedTensors unexpected)
    {
        var found = new List<KeyValuePair<string, string>>();
        var different = new List<WeightMismatch>();
        var missing = new List<WeightMismatch>();
        foreach (WeightPath path in manifest.Paths)
        {
            if (FindTensor(path.Name, checkpoint, manifest.Ties) is not { } name)
            {
                missing.Add(new WeightMismatch(MismatchKind.Missing, path.Name, Describe(path.DType, path.Shape), null, null));
                continue;
            }

            TensorInfo live = checkpoint.Tensors[name].Info;
            if (live.DType != path.DType || live.Shape != path.Shape)
            {
                different.Add(new WeightMismatch(
                    MismatchKind.Different, path.Name, Describe(path.DType, path.Shape), Describe(live.DType, live.Shape), null));
            }

            found.Add(KeyValuePair.Create(path.Name, name));
        }

        HashSet<string> known = new(found.Select(static pair => pair.Value), StringComparer.Ordinal);
        known.UnionWith(manifest.Paths.Select(static path => path.Name));
        List<string> unknown = [.. checkpoint.Tensors.Keys.Where(name => !known.Contains(name)).Order(StringComparer.Ordinal)];
        WeightMismatch[] mismatches =
        [
            .. InOrder(missing.Select((item, i) => i < MostNearNames ? item with { NearName = NearName.Find(item.Name, unknown) } : item)),
            .. InOrder(different),
            .. unexpected == UnexpectedTensors.Ignore
                ? []
                : unknown.Select(name => checkpoint.Tensors[name].Info).Select(
                    static info => new WeightMismatch(MismatchKind.Unexpected, info.Name, null, Describe(info.DType, info.Shape), null)),
        ];
        return mismatches.Length == 0
            ? TensorSelection.Of(checkpoint, found)
            : throw new WeightMismatchException(checkpoint.Uri.Display, mismatches);
    }

    // A tied name may be in the file as a tensor, as an entry of the metadata, or through its partner: files of one model are saved with either
    // name, or with both. A tied pair shares one storage also where the file has a copy for each name: the tensor of the kept name is read.
    private static string? FindTensor(string name, Checkpoint checkpoint, IReadOnlyDictionary<string, string> ties) =>
        ties.TryGetValue(name, out string? kept) && checkpoint.Tensors.ContainsKey(kept) ? kept
        : checkpoint.Tensors.ContainsKey(name) ? name
        : checkpoint.Ties.TryGetValue(name, out string? recorded) ? recorded
        : ties.FirstOrDefault(tie => tie.Value == name && checkpoint.Tensors.ContainsKey(tie.Key)).Key;

    private static IEnumerable<WeightMismatch> InOrder(IEnumerable<WeightMismatch> mismatches) =>
        mismatches.OrderBy(static mismatch => mismatch.Name, StringComparer.Ordinal);

    private static string Describe(DType dtype, TensorShape shape) => $"{dtype.Name()} {shape.ToShortString()}";
}
