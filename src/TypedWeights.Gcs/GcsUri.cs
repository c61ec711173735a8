using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>
/// The parts of <c>gs://bucket/object[#generation]</c>; <c>?generation=</c> is the same. The object's name is taken as it is: nothing in it
/// is unescaped, and a <c>#</c> that is not followed by digits alone belongs to it.
/// </summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Folder">The name up to and including its last <c>/</c>; empty for the root.</param>
/// <param name="File">The entry's name in the folder; null if it has to be found.</param>
/// <param name="Generation">The requested generation of the entry, or null.</param>
internal sealed record GcsUri(string Bucket, string Folder, string? File, string? Generation)
{
    /// <summary>The folder as messages may show it.</summary>
    public string Display => $"gs://{Bucket}/{Folder}";

    /// <exception cref="WeightSourceException">The bucket has a port or a login, or the generation is not a number.</exception>
    public static GcsUri Of(WeightUri uri)
    {
        // The text that may be shown has everything that matters here.
        string[] halves = uri.Display["gs://".Length..].Split('?', 2);
        string query = halves.Length > 1 ? halves[1] : "";
        string[] path = halves[0].Split('/', 2);
        string? generation = StoreSetting.Parameter(query, "generation");
        bool hasLogin = uri.Original["gs://".Length..].Split('/')[0].Contains('@', StringComparison.Ordinal);
        bool isNumber = generation?.All(char.IsAsciiDigit) ?? !query.Contains("generation=", StringComparison.Ordinal);
        if (hasLogin || path[0].Contains(':', StringComparison.Ordinal) || !isNumber)
        {
            throw new WeightSourceException(
                uri.Display, "this is not gs://bucket/object, optionally with a generation in digits, and without a port, user name or password.");
        }

        (string folder, string? file) = StoreSetting.Split(path.Length > 1 ? path[1] : "");
        return new GcsUri(path[0], folder, file, generation);
    }
}
