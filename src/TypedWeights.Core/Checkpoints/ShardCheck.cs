using System.Globalization;
using TypedWeights.Errors;
using TypedWeights.Format;

namespace TypedWeights.Checkpoints;

/// <summary>
/// Compares the shards' headers with the index. A tensor that is missing from its shard is an error. Of a tensor that is in two shards, the
/// index decides which copy is read; if the index does not list it, it is an error too. A tensor that the index does not list is part of the
/// model, and a warning says so: some loaders read whole shards and find it, others follow the index and silently lack it.
/// </summary>
internal static class ShardCheck
{
    /// <summary>Finds the tensors of all shards.</summary>
    /// <param name="index">The index.</param>
    /// <param name="files">The shards.</param>
    /// <param name="indexDisplay">The index as it may be shown.</param>
    /// <param name="warnings">Gets what is unusual and not an error.</param>
    /// <exception cref="SafeTensorsFormatException">The shards are not what the index says.</exception>
    public static Dictionary<string, CheckpointTensor> Run(
        ShardIndex index, IReadOnlyList<CheckpointFile> files, string indexDisplay, List<string> warnings)
    {
        // So that later sums of sizes fit in 64 bits.
        if (files.Sum(static file => (decimal)file.Source.Length) > long.MaxValue)
        {
            throw ShardIndex.Error(indexDisplay, "its shards together have more than 2^63-1 bytes; the server's lengths cannot be right.");
        }

        Dictionary<string, CheckpointTensor> tensors = Collect(index, files, indexDisplay, warnings);
        foreach ((string name, string shard) in index.WeightMap)
        {
            if (!tensors.TryGetValue(name, out CheckpointTensor tensor) || files[tensor.File].Name != shard)
            {
                string where = tensor.Info is null ? "but no shard contains it" : $"but it is in {Printable.Name(files[tensor.File].Name)}";
                throw new SafeTensorsFormatException(
                    SafeTensorsErrorKind.TensorNotInShard,
                    indexDisplay,
                    $"the index says that the tensor {Printable.Name(name)} is in {Printable.Name(shard)}, {where}. "
                        + "The index and the shards are from different saves; fetch them again.");
            }
        }

        if (index.WeightMap.Count == 0)
        {
            warnings.Add($"{indexDisplay}: the weight_map is empty: the model has no tensors.");
        }

        if (tensors.Values.FirstOrDefault(tensor => !index.WeightMap.ContainsKey(tensor.Info.Name)) is { Info: { } unlisted } first)
        {
            warnings.Add(
                $"{indexDisplay}: the shards hold {tensors.Count - index.WeightMap.Count} tensors that the index does not list, such as "
                + $"{Printable.Name(unlisted.Name)} in {Printable.Name(files[first.File].Name)}; "
                + "they are part of the model here, and other readers may lack them.");
        }

        WarnOfTotalSize(index, tensors, indexDisplay, warnings);
        return tensors;
    }

    private static Dictionary<string, CheckpointTensor> Collect(
        ShardIndex index, IReadOnlyList<CheckpointFile> files, string indexDisplay, List<string> warnings)
    {
        var tensors = new Dictionary<string, CheckpointTensor>(files.Sum(static file => file.Header.Tensors.Count), StringComparer.Ordinal);
        var copies = new List<string>();
        for (int i = 0; i < files.Count; i++)
        {
            foreach (TensorInfo tensor in files[i].Header.Tensors)
            {
                if (tensors.TryAdd(tensor.Name, new CheckpointTensor(i, tensor)))
                {
                    continue;
                }

                string first = files[tensors[tensor.Name].File].Name;
                if (!index.WeightMap.TryGetValue(tensor.Name, out string? shard))
                {
                    throw new SafeTensorsFormatException(
                        SafeTensorsErrorKind.DuplicateTensor,
                        indexDisplay,
                        $"the tensor {Printable.Name(tensor.Name)} is in {Printable.Name(first)} and in {Printable.Name(files[i].Name)}, and the "
                            + "index does not say which of them to read. One of the shards is from another save; fetch them and the index again.");
                }

                if (shard == files[i].Name)
                {
                    tensors[tensor.Name] = new CheckpointTensor(i, tensor);
                }

                copies.Add($"{Printable.Name(tensor.Name)} (in {Printable.Name(first)} and in {Printable.Name(files[i].Name)})");
            }
        }

        if (copies.Count > 0)
        {
            warnings.Add(
                copies.Count == 1
                    ? $"{indexDisplay}: a tensor is in more than one shard: {copies[0]}; the index says which is read."
                    : $"{indexDisplay}: {copies.Count} tensors are in more than one shard, such as {copies[0]}; the index says which are read.");
        }

        return tensors;
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

        // Real indexes state 32, 32.0 or "32".
        bool isNumber = decimal.TryParse(index.TotalSize, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal said);
        if (!isNumber || (said != all && said != listed))
        {
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{indexDisplay}: total_size is {Printable.Name(index.TotalSize)}, but the tensors have {listed} bytes; nothing depends on it."));
        }
    }
}
