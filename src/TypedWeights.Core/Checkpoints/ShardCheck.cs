using System.Globalization;
using TypedWeights.Errors;
using TypedWeights.Format;

namespace TypedWeights.Checkpoints;

/// <summary>
/// Compares the shards' headers with the index. A tensor that is missing from its shard is an error. Of one that two shards hold, the
/// index says which counts; where it does not, it is an error too. A tensor that a shard holds and the index does not list is part of the
/// model all the same, and a warning says so: some loaders read whole shards and find it, others follow the index and silently lack it.
/// </summary>
internal static class ShardCheck
{
    public static Dictionary<string, CheckpointTensor> Run(
        ShardIndex index, IReadOnlyList<CheckpointFile> files, string indexDisplay, List<string> warnings)
    {
        // Whatever adds up sizes further on may then do so in 64 bits.
        if (files.Sum(static file => (decimal)file.Source.Length) > long.MaxValue)
        {
            throw ShardIndex.Error(indexDisplay, "its shards together are beyond 2^63-1 bytes; the server's lengths cannot be right.");
        }

        Dictionary<string, CheckpointTensor> tensors = Collect(index, files, indexDisplay, warnings);
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

    private static Dictionary<string, CheckpointTensor> Collect(
        ShardIndex index, IReadOnlyList<CheckpointFile> files, string indexDisplay, List<string> warnings)
    {
        var tensors = new Dictionary<string, CheckpointTensor>(files.Sum(static file => file.Header.Tensors.Count), StringComparer.Ordinal);
        int twice = 0;
        string example = "";
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
                            + "index does not say which of them counts. One of the shards is from another save; fetch them and the index again.");
                }

                if (shard == files[i].Name)
                {
                    tensors[tensor.Name] = new CheckpointTensor(i, tensor);
                }

                example = twice++ > 0
                    ? example
                    : $"{Printable.Name(tensor.Name)} (in {Printable.Name(first)} and in {Printable.Name(files[i].Name)})";
            }
        }

        if (twice > 0)
        {
            warnings.Add(
                twice == 1
                    ? $"{indexDisplay}: a tensor is in more than one shard: {example}; the one counts that is where the index says."
                    : $"{indexDisplay}: {twice} tensors are in more than one shard, such as {example}; those count that are where the index says.");
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
