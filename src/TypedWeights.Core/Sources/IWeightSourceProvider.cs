namespace TypedWeights.Sources;

/// <summary>
/// Serves the schemes of a source. A new scheme is one implementation of this interface, in one package, with one <c>UseX</c> that adds it to a
/// loader.
/// </summary>
public interface IWeightSourceProvider : IAsyncDisposable
{
    /// <summary>The schemes it serves, in lower case: <c>["http", "https"]</c>.</summary>
    IReadOnlyList<string> Schemes { get; }

    /// <summary>
    /// Resolves a URI, which names a file, an index, or a folder that contains one of them. A floating revision is resolved once.
    /// </summary>
    /// <param name="uri">A URI of one of <see cref="Schemes"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">Nothing exists at the URI, or it may not be read.</exception>
    ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken);

    /// <summary>Resolves a URI as of the time when its snapshot was taken: at that commit, in those versions.</summary>
    /// <param name="uri">A URI of one of <see cref="Schemes"/>, of which the snapshot was taken.</param>
    /// <param name="pins">What the snapshot recorded. It overrides the URI, which may name a branch or a tag.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">As above, or that version no longer exists.</exception>
    /// <remarks>A store without versions need not implement this method.</remarks>
    ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken) =>
        LocateAsync(uri, cancellationToken);

    /// <summary>Frees what the provider holds.</summary>
    /// <returns>A completed task; a provider that holds more than the loader's connections overrides it.</returns>
#pragma warning disable CA1816 // An interface has no finalizer.
    ValueTask IAsyncDisposable.DisposeAsync() => default;
#pragma warning restore CA1816
}

/// <summary>The revision and the versions of files that a load must get, because a snapshot recorded them.</summary>
/// <param name="Revision">The revision of all files, such as a commit; null for the current one.</param>
/// <param name="Versions">A store's version (<c>versionId</c>, generation) by file name relative to the entry's folder.</param>
public sealed record WeightPins(string? Revision, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>Nothing is recorded: the current revision and versions.</summary>
    public static WeightPins None { get; } = new(null, new Dictionary<string, string>());

    /// <summary>The revision and versions that the snapshot of a generated class recorded.</summary>
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
