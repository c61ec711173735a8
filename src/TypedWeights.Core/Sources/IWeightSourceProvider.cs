namespace TypedWeights.Sources;

/// <summary>
/// Serves the schemes of one source. A new scheme is one implementation of this, in one package, with one <c>UseX</c> that adds it to a loader.
/// </summary>
public interface IWeightSourceProvider : IAsyncDisposable
{
    /// <summary>The schemes it serves, in lower case: <c>["http", "https"]</c>.</summary>
    IReadOnlyList<string> Schemes { get; }

    /// <summary>
    /// Finds out what a URI names: the file itself, an index, or a folder that holds one of them. Resolves a floating revision once.
    /// </summary>
    /// <param name="uri">A URI of one of <see cref="Schemes"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">There is nothing at the URI, or it may not be read.</exception>
    ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken);

    /// <summary>Finds out what a URI names, as it was when its snapshot was taken: at that commit, in those versions.</summary>
    /// <param name="uri">A URI of one of <see cref="Schemes"/>; the snapshot was taken of the same.</param>
    /// <param name="pins">What the snapshot recorded. It comes before what the URI says, which may be a branch or a tag.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">As above, or that version is gone.</exception>
    /// <remarks>A store without versions does without this method.</remarks>
    ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken) =>
        LocateAsync(uri, cancellationToken);

    /// <summary>Frees what the provider holds.</summary>
    /// <returns>A completed task; a provider that holds more than the loader's connections overrides it.</returns>
#pragma warning disable CA1816 // An interface has no finalizer.
    ValueTask IAsyncDisposable.DisposeAsync() => default;
#pragma warning restore CA1816
}
