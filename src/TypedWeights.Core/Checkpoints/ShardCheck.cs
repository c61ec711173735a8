using System.Globalization;
using TypedWeights.Errors;

namespace TypedWeights.Checkpoints;

/// <summary>
/// Holds the shards' headers against the index. A tensor that is missing from its shard, or stands in two shards, is an error. One
/// that a shard holds and the index does not list is part of the model all the same, and a warning says so: some loaders read whole
/// shards and find it, others follow the index and silently lack it.
/// </summary>
internal static class ShardCheck
{
    public static Dictionary<string, CheckpointTensor> Run(
        ShardIndex index, IReadOnlyList<CheckpointFile> files, string indexDisplay, List<string> warnings)
    {
        Dictionary<string, CheckpointTensor> tensors = Collect(files, indexDisplay);
        foreach ((string name, string shard) in index.WeightMap)
        {
            if (!tensors.TryGetValue(name, out CheckpointTensor tensor) || files[tensor.File].Name != shard)
            {
                throw NotInShard(name, shard, tensor.Info is null ? null : files[tensor.File].Name, indexDisplay);
            }
        }

        if (index.WeightMap.Count == 0)
        {
            warnings.Add($"{indexDisplay}: the weight_map is empty: the model has no tensors.");
        }

        WarnOfUnlisted(index, files, tensors, indexDisplay, warnings);
        WarnOfTotalSize(index, tensors, indexDisplay, warnings);
        return tensors;
    }

    private static Dictionary<string, CheckpointTensor> Collect(IReadOnlyList<CheckpointFile> files, string indexDisplay)
    {
        var tensors = new Dictionary<string, CheckpointTensor>(files.Sum(static file => file.Header.Tensors.Count), StringComparer.Ordinal);
        for (int i = 0; i < files.Count; i++)
        {
            foreach (TensorInfo tensor in files[i].Header.Tensors)
            {
                if (!tensors.TryAdd(tensor.Name, new CheckpointTensor(i, tensor)))
                {
                    string first = files[tensors[tensor.Name].File].Name;
                    throw new SafeTensorsFormatException(
                        SafeTensorsErrorKind.DuplicateTensor,
                        indexDisplay,
                        $"the tensor {Printable.Name(tensor.Name)} stands in {Printable.Name(first)} "
                            + $"and in {Printable.Name(files[i].Name)}. One of the shards is from another save; fetch them and the index again.");
                }
            }
        }

        return tensors;
    }

    private static SafeTensorsFormatException NotInShard(string name, string shard, string? actual, string indexDisplay)
    {
        string where = actual is null ? "and no shard holds it" : $"but it is in {Printable.Name(actual)}";
        return new SafeTensorsFormatException(
            SafeTensorsErrorKind.TensorNotInShard,
            indexDisplay,
            $"the index puts the tensor {Printable.Name(name)} into {Printable.Name(shard)}, {where}. "
                + "The index and the shards are from different saves; fetch them again.");
    }

    private static void WarnOfUnlisted(
        ShardIndex index,
        IReadOnlyList<CheckpointFile> files,
        Dictionary<string, CheckpointTensor> tensors,
        string indexDisplay,
        List<string> warnings)
    {
        IEnumerable<TensorInfo> unlisted = files.SelectMany(static file => file.Header.Tensors)
            .Where(tensor => !index.WeightMap.ContainsKey(tensor.Name));
        if (tensors.Count > index.WeightMap.Count)
        {
            string name = unlisted.First().Name;
            warnings.Add(
                $"{indexDisplay}: the shards hold {tensors.Count - index.WeightMap.Count} tensors that the index does not list, such as "
                + $"{Printable.Name(name)} in {Printable.Name(files[tensors[name].File].Name)}; "
                + "they are part of the model here, and other readers may lack them.");
        }
    }

    private static void WarnOfTotalSize(
        ShardIndex index, Dictionary<string, CheckpointTensor> tensors, string indexDisplay, List<string> warnings)
    {
        if (index.TotalSize is null)
        {
            return;
        }

        decimal all = tensors.Values.Sum(static tensor => (decimal)tensor.Info.ByteLength);
        decimal listed = index.WeightMap.Keys.Sum(name => (decimal)tensors[name].Info.ByteLength);

        // Seen as 32, 32.0 and "32".
        bool isNumber = decimal.TryParse(index.TotalSize, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal said);
        if (!isNumber || (said != all && said != listed))
        {
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{indexDisplay}: total_size is {Printable.Name(index.TotalSize)}, but the tensors have {listed} bytes; nothing depends on it."));
        }
    }
}
