namespace TypedWeights.Sources;

/// <summary>Which schemes the library serves by itself, and which package serves what it does not.</summary>
internal static class StorePackages
{
    /// <summary>The schemes that need no package.</summary>
    public static readonly string[] BuiltIn = ["file", "http", "https", "hf", "anyscale"];

    /// <summary>The package that serves a scheme; null where none is known.</summary>
    public static string? For(string scheme) => scheme switch
    {
        "s3" => "TypedWeights.S3",
        "gs" => "TypedWeights.Gcs",
        "az" => "TypedWeights.AzureBlobs",
        _ => null,
    };
}
