namespace TypedWeights.Sources.Stores;

/// <summary>How stores read their URIs and variables. The packages of the stores compile this file too.</summary>
internal static class StoreSetting
{
    /// <summary>The value of an environment variable; null if it is not set or empty.</summary>
    public static string? Of(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? text : null;

    /// <summary>Whether a name is that of a safetensors file or of an index, and not of a folder.</summary>
    public static bool IsFile(string name) =>
        name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Splits a key into its folder, with a final <c>/</c> unless it is the root, and the entry's name.</summary>
    /// <returns>The name is null if the key is a folder's.</returns>
    public static (string Folder, string? File) Split(string key)
    {
        int name = key.LastIndexOf('/') + 1;
        return IsFile(key) ? (key[..name], key[name..]) : (key.Length == name ? key : key + "/", null);
    }

    /// <summary>The first parameter of that name in a query, unescaped; null if there is none or it is empty.</summary>
    public static string? Parameter(string query, string name) => query.Split('&')
        .Where(pair => pair.StartsWith(name + "=", StringComparison.Ordinal))
        .Select(pair => Uri.UnescapeDataString(pair[(name.Length + 1)..])).FirstOrDefault(static value => value.Length > 0);

    /// <summary>A key as the path of a URL.</summary>
    public static string Escape(string key) => string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

    /// <summary>A URL whose path stays as it is: a key may have <c>//</c> or <c>/../</c> in it.</summary>
    public static Uri Exact(string url) => new(url, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
}
