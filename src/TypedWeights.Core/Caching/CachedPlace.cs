using System.Text.Json;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>What a URI named when it was last asked for: what a load has to know that may not ask.</summary>
/// <param name="Source">The URI as it may be shown.</param>
/// <param name="Entry">The name of the entry file.</param>
/// <param name="Revision">The resolved revision; null where the store has none.</param>
internal sealed record CachedPlace(string Source, string Entry, string? Revision)
{
    /// <summary>What the name of its file ends with.</summary>
    public const string Suffix = ".location.json";

    private const int Version = 1;

    private static string PathOf(CacheFolder folder, string source) =>
        Path.Combine(folder.Path, CacheKey.OfSource(source).TrimEnd('-') + Suffix);

    /// <returns>null where there is none that can be read.</returns>
    public static CachedPlace? Read(CacheFolder folder, WeightUri uri)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(PathOf(folder, uri.Display)));
            JsonElement root = json.RootElement;
            return root.GetProperty("typedweights").GetInt32() == Version && root.GetProperty("source").GetString() == uri.Display
                ? new CachedPlace(uri.Display, root.GetProperty("entry").GetString()!, root.GetProperty("revision").GetString())
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Writes it down, at once and whole.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public void Write(CacheFolder folder)
    {
        string path = PathOf(folder, Source);
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            using (var json = new Utf8JsonWriter(stream))
            {
                json.WriteStartObject();
                json.WriteNumber("typedweights", Version);
                json.WriteString("source", Source);
                json.WriteString("entry", Entry);
                json.WriteString("revision", Revision);
                json.WriteEndObject();
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
