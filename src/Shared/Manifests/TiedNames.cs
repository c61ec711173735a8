using TypedWeights.Snapshots;

namespace TypedWeights.Manifests;

/// <summary>
/// Names that a checkpoint's metadata records as copies of a tensor (<c>"model.embed_tokens.weight": "lm_head.weight"</c>, as
/// <c>safetensors.torch.save_model</c> writes it).
/// </summary>
internal static class TiedNames
{
    /// <summary>Alias and target, in ordinal order of the aliases. Where two files differ, the first file's value stands.</summary>
    public static List<KeyValuePair<string, string>> Of(WeightSnapshot snapshot)
    {
        var names = new HashSet<string>(snapshot.Tensors.Select(static tensor => tensor.Name), StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return
        [
            .. snapshot.Files.SelectMany(static file => file.Metadata)
                .Where(pair => seen.Add(pair.Key) && !names.Contains(pair.Key) && names.Contains(pair.Value))
                .OrderBy(static pair => pair.Key, StringComparer.Ordinal),
        ];
    }
}
