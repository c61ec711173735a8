namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// <c>az://account/container/blob</c>, in which the blob's name stands as it is, or a blob's https URL, which is escaped; taken apart.
/// </summary>
/// <param name="Display">The URI as it may be shown, without its query.</param>
/// <param name="Account">The account's name.</param>
/// <param name="Host">The service's host, where the URI names it; null for the usual one of the account.</param>
/// <param name="Container">The container.</param>
/// <param name="Folder">The folder in the container with a final <c>/</c>, unescaped; empty for its root.</param>
/// <param name="File">The entry's name in that folder; null where it has to be found.</param>
/// <param name="Query">What the URI says after its path.</param>
internal sealed record BlobUri(string Display, string Account, string? Host, string Container, string Folder, string? File, BlobQuery Query)
{
    /// <summary>A file of the folder as it may be shown.</summary>
    /// <param name="name">Its name relative to the folder.</param>
    public string DisplayOf(string name) => Display[..(Display.LastIndexOf('/') + 1)]
        + (Display.StartsWith("az:", StringComparison.Ordinal) ? name : string.Join('/', name.Split('/').Select(Uri.EscapeDataString)));

    /// <exception cref="WeightSourceException">It names no container and blob.</exception>
    public static BlobUri Of(WeightUri uri)
    {
        string authority = uri.Original[(uri.Scheme.Length + "://".Length)..].Split('/', '?', '#')[0];
        if (authority.Contains('@') || (authority.Contains(':') && !authority.Contains('.')))
        {
            throw new WeightSourceException(
                uri.Display,
                "an account has neither port nor login; give another address in AzureBlobsOptions.Endpoint or a connection string, and a key or "
                    + "signature in the variables of the az command line.");
        }

        string display = uri.Display.Split('?')[0];
        string[] parts = display[(uri.Scheme.Length + "://".Length)..].Split('/');
        string host = parts[0];
        string[] path = uri.Scheme == "az" ? parts[1..] : [.. parts[1..].Select(Uri.UnescapeDataString)];
        if (path.Length == 0 || path[0].Length == 0 || path.Any(static part => part is "." or ".."))
        {
            throw new WeightSourceException(
                uri.Display, "this names no container and blob of an account; write az://account/container/blob.");
        }

        bool hasFile = path.Length > 1 && IsFile(path[^1]);
        bool endsWithSlash = path.Length > 1 && path[^1].Length == 0;
        string folder = string.Concat(path[1..(hasFile || endsWithSlash ? ^1 : ^0)].Select(static part => part + "/"));
        return new BlobUri(
            hasFile || endsWithSlash ? display : display + "/",
            host.Split('.', ':')[0],
            host.Contains('.') ? host : null,
            path[0],
            folder,
            hasFile ? path[^1] : null,
            BlobQuery.Of(uri.Original));
    }

    private static bool IsFile(string name) =>
        name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
}
