namespace TypedWeights.Sources.AzureBlobs;

/// <summary>What a blob's URI says after its path.</summary>
/// <param name="Version">The version of the entry (<c>versionId</c>); null where none is named.</param>
/// <param name="Snapshot">The blob snapshot of the entry; null where none is named.</param>
/// <param name="Signature">The shared access signature, a secret; null where there is none.</param>
internal sealed record BlobQuery(string? Version, string? Snapshot, string? Signature)
{
    /// <param name="uri">The whole text. It is not shown.</param>
    public static BlobQuery Of(string uri)
    {
        int start = uri.IndexOf('?');
        string text = start < 0 ? "" : uri[(start + 1)..].Split('#')[0];
        string? version = null;
        string? snapshot = null;
        var signed = new List<string>();
        foreach (string pair in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            string value = parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "";
            switch (parts[0])
            {
                case "versionId" or "versionid":
                    version = value;
                    break;
                case "snapshot":
                    snapshot = value;
                    break;
                default:
                    signed.Add(pair);
                    break;
            }
        }

        bool isSigned = signed.Any(static pair => pair.StartsWith("sig=", StringComparison.Ordinal));
        return new BlobQuery(version, snapshot, isSigned ? string.Join('&', signed) : null);
    }
}
