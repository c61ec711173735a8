using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>The parts of <c>s3://bucket/key[?versionId=…][&amp;region=…]</c>. The key is taken as it is: nothing is unescaped.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Folder">The key up to and including its last <c>/</c>; empty for the root.</param>
/// <param name="File">The entry's name in the folder; null if it has to be found.</param>
/// <param name="VersionId">The requested version of the entry, or null.</param>
/// <param name="Region">The region of the bucket, or null.</param>
internal sealed record S3Uri(string Bucket, string Folder, string? File, string? VersionId, string? Region)
{
    /// <summary>The folder as messages may show it.</summary>
    public string Display => $"s3://{Bucket}/{Folder}";

    /// <exception cref="WeightSourceException">The bucket has a port or a login.</exception>
    public static S3Uri Of(WeightUri uri)
    {
        string[] halves = uri.Original["s3://".Length..].Split(['?', '#'], 2);
        string query = halves.Length > 1 ? halves[1].Split('#')[0] : "";
        string[] path = halves[0].Split('/', 2);
        if (path[0].AsSpan().ContainsAny(":@"))
        {
            throw new WeightSourceException(
                uri.Display, "the URI must not contain a port, user name or password; set the endpoint in AWS_ENDPOINT_URL, and the keys where the "
                    + "AWS SDK finds them.");
        }

        (string folder, string? file) = StoreSetting.Split(path.Length > 1 ? path[1] : "");
        return new S3Uri(path[0], folder, file, StoreSetting.Parameter(query, "versionId"), StoreSetting.Parameter(query, "region"));
    }
}
