namespace TypedWeights.Sources.S3;

/// <summary><c>s3://bucket/key[?versionId=…][&amp;region=…]</c>, taken apart. The key stands as it is: nothing is unescaped.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Folder">The key up to its last <c>/</c>, that included; empty for the root.</param>
/// <param name="File">The entry's name in the folder; null where it has to be found.</param>
/// <param name="VersionId">The version of the entry that is asked for, or null.</param>
/// <param name="Region">Where the bucket is said to be, or null.</param>
internal sealed record S3Uri(string Bucket, string Folder, string? File, string? VersionId, string? Region)
{
    /// <summary>The folder as it may be shown.</summary>
    public string Display => $"s3://{Bucket}/{Folder}";

    /// <exception cref="WeightSourceException">It names no bucket.</exception>
    public static S3Uri Of(WeightUri uri)
    {
        string rest = uri.Original["s3://".Length..];
        int query = rest.IndexOfAny(['?', '#']);
        string[] parameters = query < 0 ? [] : rest[(query + 1)..].Split('#')[0].Split('&');
        string path = query < 0 ? rest : rest[..query];
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string bucket = slash < 0 ? path : path[..slash];
        string key = slash < 0 ? "" : path[(slash + 1)..];
        if (bucket.Contains(':', StringComparison.Ordinal) || bucket.Contains('@', StringComparison.Ordinal))
        {
            throw new WeightSourceException(
                uri.Display, "a bucket has neither port nor login; give the endpoint in AWS_ENDPOINT_URL and keys to the SDK's chain.");
        }

        bool isFile = key.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            || key.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (!isFile && key.Length > 0 && !key.EndsWith('/'))
        {
            key += "/";
        }

        int last = key.LastIndexOf('/') + 1;
        return new S3Uri(bucket, key[..last], isFile ? key[last..] : null, Parameter("versionId"), Parameter("region"));

        string? Parameter(string name) => parameters
            .Where(pair => pair.StartsWith(name + "=", StringComparison.Ordinal))
            .Select(pair => Uri.UnescapeDataString(pair[(name.Length + 1)..])).FirstOrDefault(static value => value.Length > 0);
    }
}
