namespace TypedWeights.Sources.Gcs;

/// <summary>
/// <c>gs://bucket/object[#generation]</c>, taken apart; <c>?generation=</c> is the same. The object's name stands as it is: nothing in it
/// is unescaped, and a <c>#</c> that is not followed by digits alone belongs to it.
/// </summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Folder">The name up to its last <c>/</c>, that included; empty for the root.</param>
/// <param name="File">The entry's name in the folder; null where it has to be found.</param>
/// <param name="Generation">The generation of the entry that is asked for, or null.</param>
internal sealed record GcsUri(string Bucket, string Folder, string? File, string? Generation)
{
    /// <summary>The folder as it may be shown.</summary>
    public string Display => $"gs://{Bucket}/{Folder}";

    /// <exception cref="WeightSourceException">It names no bucket, or its generation is none.</exception>
    public static GcsUri Of(WeightUri uri)
    {
        // The text that may be shown has everything that matters here.
        string[] halves = uri.Display["gs://".Length..].Split('?', 2);
        int slash = halves[0].IndexOf('/', StringComparison.Ordinal);
        string bucket = slash < 0 ? halves[0] : halves[0][..slash];
        string name = slash < 0 ? "" : halves[0][(slash + 1)..];
        const string Parameter = "generation=";
        string? generation = halves.Length < 2 ? null : halves[1].Split('&')
            .FirstOrDefault(static pair => pair.StartsWith(Parameter, StringComparison.Ordinal))?[Parameter.Length..];
        bool hasLogin = uri.Original["gs://".Length..].Split('/')[0].Contains('@', StringComparison.Ordinal);
        if (hasLogin || bucket.Contains(':', StringComparison.Ordinal) || generation?.All(char.IsAsciiDigit) == false || generation is "")
        {
            throw new WeightSourceException(
                uri.Display, "this is not gs://bucket/object, with a generation in digits or without; a bucket has neither port nor login.");
        }

        bool isFile = name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (!isFile && name.Length > 0 && !name.EndsWith('/'))
        {
            name += "/";
        }

        int last = name.LastIndexOf('/') + 1;
        return new GcsUri(bucket, name[..last], isFile ? name[last..] : null, generation);
    }
}
