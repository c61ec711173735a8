namespace TypedWeights.Sources.File;

/// <summary>Finds the model in a folder.</summary>
internal static class FolderEntry
{
    private const string IndexSuffix = ".safetensors.index.json";
    private const string FileSuffix = ".safetensors";
    private const string PreferredStem = "model";

    /// <param name="folder">The folder.</param>
    /// <param name="display">The folder as it may be shown.</param>
    /// <returns>The name of the entry file.</returns>
    /// <exception cref="WeightSourceException">There is none, or there are several and none is the usual one.</exception>
    public static string Find(string folder, string display)
    {
        string[] names = [.. Directory.EnumerateFiles(folder).Select(static path => Path.GetFileName(path))
            .Where(static name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];
        return Choose(names, IndexSuffix, display) ?? Choose(names, FileSuffix, display)
            ?? throw new WeightSourceException(
                display,
                "the folder holds no .safetensors file and no .safetensors.index.json (folders inside it are not searched).",
                isNotFound: true);
    }

    private static string? Choose(string[] names, string suffix, string display)
    {
        string[] found = [.. names.Where(name => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))];
        if (found.Length <= 1)
        {
            return found.FirstOrDefault();
        }

        const int Shown = 10;
        return found.Contains(PreferredStem + suffix, StringComparer.Ordinal)
            ? PreferredStem + suffix
            : throw new WeightSourceException(
                display,
                $"the folder holds {found.Length} files *{suffix} and none is {PreferredStem + suffix}; "
                    + "name the one you mean (shards need their index): "
                    + string.Join(", ", found.Take(Shown)) + (found.Length > Shown ? ", …" : ""));
    }
}
