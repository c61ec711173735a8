using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// The parts of <c>az://account/container/blob</c>, in which the blob's name is taken as it is, or of a blob's https URL, which is escaped.
/// </summary>
/// <param name="Display">The URI as messages may show it, without its query.</param>
/// <param name="Account">The account's name.</param>
/// <param name="Host">The service's host, if the URI names it; null for the usual host of the account.</param>
/// <param name="Container">The container.</param>
/// <param name="Folder">The folder in the container with a final <c>/</c>, unescaped; empty for its root.</param>
/// <param name="File">The entry's name in that folder; null if it has to be found.</param>
/// <param name="Version">The requested version of the entry (<c>versionId</c>), or null.</param>
/// <param name="Snapshot">The requested blob snapshot of the entry, or null.</param>
/// <param name="Signature">The shared access signature, a secret; null if there is none.</param>
internal sealed record BlobUri(
    string Display, string Account, string? Host, string Container, string Folder, string? File, string? Version, string? Snapshot, string? Signature)
{
    /// <summary>A file of the folder as messages may show it.</summary>
    /// <param name="name">Its name relative to the folder.</param>
    public string DisplayOf(string name) => Display[..(Display.LastIndexOf('/') + 1)]
        + (Display.StartsWith("az:", StringComparison.Ordinal) ? name : StoreSetting.Escape(name));

    /// <summary>The shared access signature in a URI: all parameters but the version and the snapshot. null if there is none.</summary>
    public static string? SignatureOf(WeightUri uri)
    {
        string[] others = [.. QueryOf(uri).Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Where(static pair => pair.Split('=')[0] is not ("versionId" or "versionid" or "snapshot"))];
        return others.Any(static pair => pair.StartsWith("sig=", StringComparison.Ordinal)) ? string.Join('&', others) : null;
    }

    /// <exception cref="WeightSourceException">It does not name a container and a blob.</exception>
    public static BlobUri Of(WeightUri uri)
    {
        string authority = uri.Original[(uri.Scheme.Length + "://".Length)..].Split('/', '?', '#')[0];
        if (authority.Contains('@') || (authority.Contains(':') && !authority.Contains('.')))
        {
            throw new WeightSourceException(
                uri.Display,
                "the URI must not contain a port, user name or password; set another address in AzureBlobsOptions.Endpoint or a connection string, "
                    + "and a key or signature in the variables of the az command line.");
        }

        string display = uri.Display.Split('?')[0];
        string[] parts = display[(uri.Scheme.Length + "://".Length)..].Split('/');
        string host = parts[0];
        string[] path = uri.Scheme == "az" ? parts[1..] : [.. parts[1..].Select(Uri.UnescapeDataString)];
        if (path.Length == 0 || path[0].Length == 0 || path.Any(static part => part is "." or ".."))
        {
            throw new WeightSourceException(
                uri.Display, "this does not name an account, a container and a blob; write az://account/container/blob.");
        }

        (string folder, string? file) = StoreSetting.Split(string.Join('/', path[1..]));
        string query = QueryOf(uri);
        return new BlobUri(
            file is not null || display.EndsWith('/') ? display : display + "/",
            host.Split('.', ':')[0],
            host.Contains('.') ? host : null,
            path[0],
            folder,
            file,
            StoreSetting.Parameter(query, "versionId") ?? StoreSetting.Parameter(query, "versionid"),
            StoreSetting.Parameter(query, "snapshot"),
            SignatureOf(uri));
    }

    private static string QueryOf(WeightUri uri)
    {
        string[] halves = uri.Original.Split('#')[0].Split('?', 2);
        return halves.Length > 1 ? halves[1] : "";
    }
}
