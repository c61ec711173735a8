using System.Text.Json;
using System.Text.Json.Serialization;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>What a URI named when it was last requested, and in which versions: what a load needs that sends no requests.</summary>
/// <param name="Source">The URI as it may be shown.</param>
/// <param name="Pins">What the load was held to, as one text.</param>
/// <param name="Entry">The name of the entry file.</param>
/// <param name="Revision">The resolved revision; null if the store has none.</param>
/// <param name="Files">The versions of the files that were opened, by their names.</param>
internal sealed partial record CachedPlace(
    string Source, string Pins, string Entry, string? Revision, IReadOnlyDictionary<string, SourceIdentity> Files)
{
    /// <summary>What the name of its file ends with.</summary>
    public const string Suffix = ".location.json";

    private const int CurrentVersion = 2;

    // Some hundred bytes for each file of a model.
    private const int LengthLimit = 16 << 20;

    /// <summary>The version of the text.</summary>
    [JsonPropertyName("typedweights")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>A load's pins as one text.</summary>
    public static string TextOf(WeightPins pins) => string.Join(
        ' ',
        pins.Versions.OrderBy(static pair => pair.Key, StringComparer.Ordinal)
            .Select(static pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}")
            .Prepend(pins.Revision ?? ""));

    /// <returns>null if no copy can be read.</returns>
    public static CachedPlace? Read(CacheFolder folder, string source, string pins) =>
        PathOf(folder, source, pins) is var path && folder.Distrust(path) is null
        && Read(path) is { } place && place.Source == source && place.Pins == pins ? place : null;

    /// <summary>Everything that URIs named.</summary>
    public static IEnumerable<CachedPlace> ReadAll(CacheFolder folder) =>
        Directory.EnumerateFiles(folder.Path, "*" + Suffix).Select(Read).OfType<CachedPlace>();

    /// <summary>What is known after a load has opened some files: those, and others that belong to the same versions.</summary>
    /// <param name="before">What was known; null for nothing.</param>
    public CachedPlace After(CachedPlace? before)
    {
        bool isSame = before is not null && before.Entry == Entry && before.Revision == Revision
            && Files.All(file => !before.Files.TryGetValue(file.Key, out SourceIdentity? known) || known == file.Value);

        // Files of another version stay out, as nothing says that they belong to these.
        return isSame
            ? this with { Files = before!.Files.Concat(Files).DistinctBy(static file => file.Key).ToDictionary(StringComparer.Ordinal) }
            : this;
    }

    /// <summary>Whether a record says the same.</summary>
    public bool Says(CachedPlace? other) => other is not null && other.Entry == Entry && other.Revision == Revision
        && other.Files.Count == Files.Count && !Files.Except(other.Files).Any();

    /// <summary>Writes it down, at once and whole.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public void Write(CacheFolder folder)
    {
        using var file = ReplacementFile.Create(PathOf(folder, Source, Pins), keepsOthersOut: folder.KeepsOthersOut);
        JsonSerializer.Serialize(file.Stream, this, PlaceJson.Default.CachedPlace);
        file.Commit();
    }

    /// <summary>The file in which it is written down.</summary>
    public static string PathOf(CacheFolder folder, string source, string pins) =>
        Path.Combine(folder.Path, CacheKey.OfSource($"{source}\n{pins}").TrimEnd('-') + Suffix);

    private static CachedPlace? Read(string path)
    {
        try
        {
            CachedPlace? place = JsonSerializer.Deserialize(SmallFile.ReadOwn(path, LengthLimit), PlaceJson.Default.CachedPlace);
            return place is { Version: CurrentVersion } && place.Files.Values.All(static file => file is { Length: >= 0 }) ? place : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            // The last one is that of half a surrogate pair.
            return null;
        }
    }

    [JsonSerializable(typeof(CachedPlace))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
    private sealed partial class PlaceJson : JsonSerializerContext;
}
