namespace TypedWeights.Sources;

/// <summary>What a load is held to beside its URI: the revision and the files' versions that a snapshot recorded.</summary>
/// <param name="Revision">The revision of all files, such as a commit; null for the one that is current.</param>
/// <param name="Versions">A store's version (<c>versionId</c>, generation) by file name relative to the entry's folder.</param>
public sealed record WeightPins(string? Revision, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>Nothing recorded: what is current.</summary>
    public static WeightPins None { get; } = new(null, new Dictionary<string, string>());

    /// <summary>What the snapshot of a generated class recorded.</summary>
    internal static WeightPins Of(WeightManifest manifest) => new(
        manifest.Revision,
        manifest.Files.Where(static file => file.Version is not null)
            .Select(static file => KeyValuePair.Create(file.Name, file.Version!))
            .Concat(manifest.Index is { } index ? [index] : [])
            .ToDictionary(StringComparer.Ordinal));

    /// <summary>The version that was recorded for a file, or null.</summary>
    /// <param name="name">The name relative to the entry's folder.</param>
    public string? VersionOf(string name) => Versions.GetValueOrDefault(name);
}
