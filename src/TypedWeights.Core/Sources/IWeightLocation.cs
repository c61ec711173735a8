namespace TypedWeights.Sources;

/// <summary>Where a checkpoint lies: an entry file and the files beside it, at one revision.</summary>
public interface IWeightLocation
{
    /// <summary>The name of the entry file: a <c>.safetensors</c> file or a <c>.safetensors.index.json</c>.</summary>
    string EntryName { get; }

    /// <summary>The resolved revision (commit, version, generation), or null where the store has none.</summary>
    string? Revision { get; }

    /// <summary>
    /// Whether reading crosses a network: then failed requests are repeated, and several are under way at once.
    /// </summary>
    bool IsRemote => true;

    /// <summary>Opens a file; its length and validator are known when this returns.</summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">
    /// The file cannot be opened; <see cref="WeightSourceException.IsNotFound"/> tells whether it is absent.
    /// </exception>
    ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a file of which the first bytes will be read first: a remote store brings them along with the opening answer.</summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="firstBytes">How many; a file that is shorter is opened all the same.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">As above.</exception>
    ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) => OpenAsync(name, cancellationToken);

    /// <summary>
    /// Opens a file without asking for it, so that the first requests are for its payload. Its
    /// <see cref="IWeightSource.Validator"/> is null until the first answer has come, and a length other than the expected one is an
    /// error of the reads.
    /// </summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="expectedLength">The length that the file should have.</param>
    /// <returns>null where the store cannot do that.</returns>
    IWeightSource? OpenAhead(string name, long expectedLength) => null;
}
