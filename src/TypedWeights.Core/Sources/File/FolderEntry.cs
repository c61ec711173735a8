namespace TypedWeights.Sources.File;

/// <summary>Finds the model in a folder.</summary>
internal static class FolderEntry
{
    private const string IndexSuffix = ".safetensors.index.json";
    private const string FileSuffix = ".safetensors";
    private static readonly string[] PreferredStems = ["model", "diffusion_pytorch_model"];

    /// <summary>The usual names of an entry, the most usual one first.</summary>
    public static IReadOnlyList<string> UsualNames { get; } =
        [.. PreferredStems.SelectMany(static stem => (string[])[stem + IndexSuffix, stem + FileSuffix])];

    /// <param name="folder">The folder.</param>
    /// <param name="display">The folder as it may be shown.</param>
    /// <returns>The name of the entry file.</returns>
    /// <exception cref="WeightSourceException">There is none, or there are several and none is the usual one.</exception>
    public static string Find(string folder, string display)
    {
        string[] names = [.. Directory.EnumerateFiles(folder).Select(static path => Path.GetFileName(path))
            .Where(static name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];
        return Choose(names, display) ?? throw new WeightSourceException(
                display,
                "the folder contains no .safetensors file and no .safetensors.index.json (folders inside it are not searched).")
        {
            IsNotFound = true,
        };
    }

    /// <summary>Chooses among the names of a folder.</summary>
    /// <param name="names">The names, in ordinal order.</param>
    /// <param name="display">The folder as it may be shown.</param>
    /// <returns>null where none is an index or a safetensors file.</returns>
    /// <exception cref="WeightSourceException">There are several and none is the usual one.</exception>
    public static string? Choose(string[] names, string display) =>
        Choose(names, IndexSuffix, display) ?? Choose(names, FileSuffix, display);

    private static string? Choose(string[] names, string suffix, string display)
    {
        string[] found = [.. names.Where(name => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))];
        if (found.Length <= 1)
        {
            return found.FirstOrDefault();
        }

        const int Shown = 10;
        return PreferredStems.Select(stem => stem + suffix).FirstOrDefault(name => found.Contains(name, StringComparer.Ordinal))
            ?? throw new WeightSourceException(
                display,
                $"the folder contains {found.Length} files *{suffix} and none is {PreferredStems[0] + suffix}; "
                    + "name the one you mean (shards need their index): "
                    + string.Join(", ", found.Take(Shown)) + (found.Length > Shown ? ", …" : ""));
    }
}
