namespace TypedWeights.Snapshots;

/// <summary>
/// Names that a checkpoint's metadata records as copies of a tensor (<c>"model.embed_tokens.weight": "lm_head.weight"</c>, as
/// <c>safetensors.torch.save_model</c> writes it).
/// </summary>
/// <remarks>
/// Metadata is free text, and a text may happen to be the name of a tensor: <c>"format": "pt"</c> beside a tensor <c>pt</c> is no tie. So
/// the key must look like the name of a tensor, which has a dot, or a second entry must declare it: <c>"tie:embed": "head"</c> beside
/// <c>"embed": "head"</c>, as this library writes it.
/// </remarks>
internal static class TiedNames
{
    private const string Declared = "tie:";

    /// <summary>Whether an entry of the metadata is a tie.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="metadata">Finds the value of a key; null where there is none.</param>
    /// <param name="isTensor">Whether a name is that of a tensor that is stored.</param>
    public static bool IsTie(KeyValuePair<string, string> entry, Func<string, string?> metadata, Func<string, bool> isTensor) =>
        isTensor(entry.Value) && !isTensor(entry.Key) && (!NeedsDeclaration(entry.Key) || metadata(Declaration(entry.Key)) == entry.Value);

    /// <summary>Whether a name alone does not look like that of a tensor: it has no dot, or looks like a declaration.</summary>
    public static bool NeedsDeclaration(string name) => name.IndexOf('.') < 0 || name.StartsWith(Declared, StringComparison.Ordinal);

    /// <summary>The key of the entry that declares a tie of this name.</summary>
    public static string Declaration(string name) => Declared + name;

    /// <summary>Alias and target, in ordinal order of the aliases. Where two files differ, the first file's value stands.</summary>
    public static List<KeyValuePair<string, string>> Of(WeightSnapshot snapshot)
    {
        var names = new HashSet<string>(snapshot.Tensors.Select(static tensor => tensor.Name), StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, string> entry in snapshot.Files.SelectMany(static file => file.Metadata))
        {
            if (!metadata.ContainsKey(entry.Key))
            {
                metadata.Add(entry.Key, entry.Value);
            }
        }

        return
        [
            .. metadata.Where(entry => IsTie(entry, key => metadata.TryGetValue(key, out string? value) ? value : null, names.Contains))
                .OrderBy(static entry => entry.Key, StringComparer.Ordinal),
        ];
    }
}
