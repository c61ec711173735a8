namespace TypedWeights;

/// <summary>How names are built from segments: by dots, as PyTorch's modules do.</summary>
internal static class TensorName
{
    /// <summary>A prefix and a segment as one name.</summary>
    /// <param name="prefix">The names so far, or null at the root.</param>
    /// <param name="segment">The next segment, which may be empty; null for the prefix itself.</param>
    public static string Join(string? prefix, string? segment) => (prefix, segment) switch
    {
        (null, null) => "",
        (null, _) => segment,
        (_, null) => prefix,
        _ => string.Concat(prefix, ".", segment),
    };
}
