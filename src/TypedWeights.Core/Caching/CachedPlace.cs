using System.Text.Json;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>What a URI named when it was last asked for, and in which versions: what a load has to know that may not ask.</summary>
/// <param name="Source">The URI as it may be shown.</param>
/// <param name="Pins">What the load was held to, as one text.</param>
/// <param name="Entry">The name of the entry file.</param>
/// <param name="Revision">The resolved revision; null where the store has none.</param>
/// <param name="Files">The versions of the files that were opened, by their names.</param>
internal sealed record CachedPlace(
    string Source, string Pins, string Entry, string? Revision, IReadOnlyDictionary<string, SourceIdentity> Files)
{
    /// <summary>What the name of its file ends with.</summary>
    public const string Suffix = ".location.json";

    private const int Version = 1;

    // Some hundred bytes for each file of a model.
    private const int LengthLimit = 16 << 20;

    /// <summary>A load's pins as one text.</summary>
    public static string TextOf(WeightPins pins) => string.Join(
        ' ',
        pins.Versions.OrderBy(static pair => pair.Key, StringComparer.Ordinal)
            .Select(static pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}")
            .Prepend(pins.Revision ?? ""));

    /// <returns>null where there is none that can be read.</returns>
    public static CachedPlace? Read(CacheFolder folder, string source, string pins) =>
        PathOf(folder, source, pins) is var path && folder.Distrust(path) is null
        && Read(path) is { } place && place.Source == source && place.Pins == pins ? place : null;

    /// <summary>Everything that URIs named.</summary>
    public static IEnumerable<CachedPlace> ReadAll(CacheFolder folder) =>
        Directory.EnumerateFiles(folder.Path, "*" + Suffix).Select(Read).OfType<CachedPlace>();

    /// <summary>What is known after a load has seen some files of the same place: what it saw, and what went with that.</summary>
    /// <param name="before">What was known; null for nothing.</param>
    public CachedPlace After(CachedPlace? before)
    {
        bool isSame = before is not null && before.Entry == Entry && before.Revision == Revision
            && Files.All(file => !before.Files.TryGetValue(file.Key, out SourceIdentity? known) || known == file.Value);

        // Files of another version stay out, as nothing says that they belong to these.
        return isSame
            ? this with { Files = Files.Concat(before!.Files.Where(file => !Files.ContainsKey(file.Key))).ToDictionary(StringComparer.Ordinal) }
            : this;
    }

    /// <summary>Whether a record says the same.</summary>
    public bool Says(CachedPlace? other) => other is not null && other.Entry == Entry && other.Revision == Revision
        && other.Files.Count == Files.Count
        && Files.All(file => other.Files.TryGetValue(file.Key, out SourceIdentity? known) && known == file.Value);

    /// <summary>Writes it down, at once and whole.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public void Write(CacheFolder folder)
    {
        using var file = ReplacementFile.Create(PathOf(folder, Source, Pins), keepsOthersOut: folder.KeepsOthersOut);
        using (var json = new Utf8JsonWriter(file.Stream))
        {
            Write(json);
        }

        file.Commit();
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("typedweights", Version);
        json.WriteString("source", Source);
        json.WriteString("pins", Pins);
        json.WriteString("entry", Entry);
        json.WriteString("revision", Revision);
        json.WriteStartArray("files");
        foreach ((string name, SourceIdentity identity) in Files.OrderBy(static file => file.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("source", identity.Source);
            json.WriteNumber("length", identity.Length);
            json.WriteString("validator", identity.Validator);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The file in which it is written down.</summary>
    public static string PathOf(CacheFolder folder, string source, string pins) =>
        Path.Combine(folder.Path, CacheKey.OfSource($"{source}\n{pins}").TrimEnd('-') + Suffix);

    private static CachedPlace? Read(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(SmallFile.ReadOwn(path, LengthLimit));
            JsonElement root = json.RootElement;
            return root.GetProperty("typedweights").GetInt32() != Version ? null : new CachedPlace(
                root.GetProperty("source").GetString()!,
                root.GetProperty("pins").GetString()!,
                root.GetProperty("entry").GetString() ?? throw new FormatException(),
                root.GetProperty("revision").GetString(),
                root.GetProperty("files").EnumerateArray().ToDictionary(
                    static file => file.GetProperty("name").GetString()!,
                    static file => new SourceIdentity(
                        file.GetProperty("source").GetString() ?? throw new FormatException(),
                        file.GetProperty("length").GetInt64() is >= 0 and var length ? length : throw new FormatException(),
                        file.GetProperty("validator").GetString()),
                    StringComparer.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
