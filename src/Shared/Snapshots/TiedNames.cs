namespace TypedWeights.Snapshots;

/// <summary>
/// Names that a checkpoint's metadata records as copies of a tensor (<c>"model.embed_tokens.weight": "lm_head.weight"</c>, as
/// <c>safetensors.torch.save_model</c> writes it).
/// </summary>
/// <remarks>
/// Metadata is free text, and a text may happen to be the name of a tensor: <c>"format": "pt"</c> beside a tensor <c>pt</c> is not a tie. So
/// the key must look like the name of a tensor, which has a dot, or a second entry must declare it: <c>"tie:embed": "head"</c> beside
/// <c>"embed": "head"</c>, as this library writes it.
/// </remarks>
internal static class TiedNames
{
    private const string Declared = "tie:";

    /// <summary>Whether a name alone does not look like the name of a tensor: it has no dot, or looks like a declaration.</summary>
    public static bool NeedsDeclaration(string name) => name.IndexOf('.') < 0 || name.StartsWith(Declared, StringComparison.Ordinal);

    /// <summary>The key of the entry that declares a tie of this name.</summary>
    public static string Declaration(string name) => Declared + name;

    /// <summary>The ties among the entries of the metadata, each with the tensor that it names.</summary>
    /// <param name="metadata">The metadata of all files.</param>
    /// <param name="isTensor">Whether a name is the name of a stored tensor.</param>
    public static Dictionary<string, string> Of(IReadOnlyDictionary<string, string> metadata, Func<string, bool> isTensor)
    {
        var ties = new Dictionary<string, string>(metadata.Count(IsTie), StringComparer.Ordinal);
        foreach (KeyValuePair<string, string> tie in metadata.Where(IsTie))
        {
            ties.Add(tie.Key, tie.Value);
        }

        return ties;

        bool IsTie(KeyValuePair<string, string> entry) => isTensor(entry.Value) && !isTensor(entry.Key)
            && (!NeedsDeclaration(entry.Key)
                || (metadata.TryGetValue(Declaration(entry.Key), out string? declared) && declared == entry.Value));
    }

    /// <summary>Alias and target, in ordinal order of the aliases. Where two files differ, the first file's value counts.</summary>
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

        return [.. Of(metadata, names.Contains).OrderBy(static tie => tie.Key, StringComparer.Ordinal)];
    }
}
