using TypedWeights.Interop;
using TypedWeights.Snapshots;

namespace TypedWeights.Saving;

/// <summary>The tensors to write, each under one of its names, and the metadata that records its other names.</summary>
/// <param name="Kept">The tensors to write.</param>
/// <param name="Metadata">The metadata to write; may be null.</param>
internal sealed record TiedTensors(IReadOnlyList<SavedTensor> Kept, IReadOnlyDictionary<string, string>? Metadata)
{
    public static TiedTensors Find(IReadOnlyList<SavedTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        WriteLayout.RefuseNulls(metadata);
        HashSet<string> names = WriteLayout.UniqueNames(tensors.Select(static tensor => tensor.Name), nameof(tensors));

        // An entry that ties a name which is saved here is written again below if the tie still exists.
        var declarations = names.Select(TiedNames.Declaration).ToHashSet(StringComparer.Ordinal);
        var texts = (metadata ?? new Dictionary<string, string>())
            .Where(pair => !((names.Contains(pair.Key) || declarations.Contains(pair.Key)) && names.Contains(pair.Value)))
            .ToDictionary(StringComparer.Ordinal);
        var kept = new List<SavedTensor>();
        foreach (List<SavedTensor> same in Group(tensors))
        {
            SavedTensor first = Keep(same, metadata);
            kept.Add(first);
            foreach (SavedTensor other in same.Where(tensor => tensor != first))
            {
                if (!texts.TryAdd(other.Name, first.Name)
                    || (TiedNames.NeedsDeclaration(other.Name) && !texts.TryAdd(TiedNames.Declaration(other.Name), first.Name)))
                {
                    throw new WeightsException(
                        $"\"{other.Name}\" is the same tensor as \"{first.Name}\", but the metadata already has another entry under the name "
                            + "that records the tie; rename that entry, or save only one of the two.");
                }
            }
        }

        return new TiedTensors(kept, metadata is null && texts.Count == 0 ? null : texts);
    }

    // Tensors over the same elements are one group; any other overlap is an error, because a reader would get copies.
    private static List<List<SavedTensor>> Group(IReadOnlyList<SavedTensor> tensors)
    {
        var groups = new List<List<SavedTensor>>();
        groups.AddRange(tensors.Where(tensor => tensor.Tensor.numel() == 0).Select(tensor => new List<SavedTensor> { tensor }));
        (SavedTensor Tensor, Extent Extent)? last = null;
        foreach ((SavedTensor tensor, Extent extent) in tensors.Where(tensor => tensor.Tensor.numel() > 0)
            .Select(tensor => (Tensor: tensor, Extent: Extent.Of(tensor)))
            .OrderBy(pair => pair.Extent.Device, StringComparer.Ordinal)
            .ThenBy(pair => pair.Extent.Begin)
            .ThenByDescending(pair => pair.Extent.End)
            .ThenBy(pair => pair.Tensor.Name, StringComparer.Ordinal))
        {
            if (last is { } before && before.Extent.Device == extent.Device && extent.Begin < before.Extent.End)
            {
                if (!before.Extent.IsSame(extent))
                {
                    throw new WeightsException(
                        $"\"{before.Tensor.Name}\" and \"{tensor.Name}\" share memory but are not the same tensor, "
                            + "which a safetensors file cannot express; clone one of them first.");
                }

                groups[^1].Add(tensor);
                continue;
            }

            groups.Add([tensor]);
            last = (tensor, extent);
        }

        return groups;
    }

    // The name that the metadata already keeps; otherwise the first one.
    private static SavedTensor Keep(List<SavedTensor> same, IReadOnlyDictionary<string, string>? metadata)
    {
        SavedTensor? recorded = same.Count == 1 || metadata is null
            ? null
            : same.FirstOrDefault(tensor => same.Exists(other => metadata.TryGetValue(other.Name, out string? of) && of == tensor.Name));
        return recorded ?? same.MinBy(tensor => tensor.Name, StringComparer.Ordinal)!;
    }

    // The bytes between a tensor's first and last element.
    private sealed class Extent(string device, long begin, long end, SavedTensor tensor)
    {
        public string Device { get; } = device;

        public long Begin { get; } = begin;

        public long End { get; } = end;

        private SavedTensor Tensor { get; } = tensor;

        public static Extent Of(SavedTensor saved)
        {
            long[] shape = saved.Tensor.shape;
            long[] strides = saved.Tensor.stride();
            long last = shape.Zip(strides, (dimension, stride) => (dimension - 1) * stride).Sum();
            long begin = TensorData.Address(saved.Tensor);
            return new Extent(saved.Tensor.device.ToString(), begin, begin + ((last + 1) * saved.Tensor.element_size()), saved);
        }

        public bool IsSame(Extent other) => Begin == other.Begin
            && Tensor.DType == other.Tensor.DType
            && Tensor.Shape == other.Tensor.Shape
            && Tensor.Tensor.stride().AsSpan().SequenceEqual(other.Tensor.Tensor.stride());
    }
}
