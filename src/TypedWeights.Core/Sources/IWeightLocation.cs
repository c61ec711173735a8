namespace TypedWeights.Sources;

/// <summary>The location of a checkpoint: an entry file and the files beside it, at one revision.</summary>
public interface IWeightLocation
{
    /// <summary>The name of the entry file: a <c>.safetensors</c> file or a <c>.safetensors.index.json</c>.</summary>
    string EntryName { get; }

    /// <summary>The resolved revision (commit, version, generation), or null where the store has none.</summary>
    string? Revision { get; }

    /// <summary>
    /// Whether files are read across a network: then failed requests are retried, and several requests run at the same time.
    /// </summary>
    bool IsRemote => true;

    /// <summary>Opens a file; its length and validator are known when this returns.</summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">
    /// The file cannot be opened; <see cref="WeightSourceException.IsNotFound"/> is true if it is absent.
    /// </exception>
    ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a file whose first bytes will be read first: a remote store returns them with the opening response.</summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="firstBytes">How many bytes; the file may be shorter.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">As above.</exception>
    ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) => OpenAsync(name, cancellationToken);

    /// <summary>
    /// Opens a file without a request, so that the first requests are for its payload. Its <see cref="IWeightSource.Validator"/> is null
    /// until the first response, and a length other than the expected one is an error of the reads.
    /// </summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="expectedLength">The length that the file should have.</param>
    /// <returns>null if the store cannot do that.</returns>
    IWeightSource? OpenAhead(string name, long expectedLength) => null;
}

/// <summary>
/// A location that wraps another one and passes every call on. A derived class that does not override a member gets the inner location's,
/// never a default of the interface.
/// </summary>
/// <param name="inner">The wrapped location.</param>
internal abstract class DelegatingLocation(IWeightLocation inner) : IWeightLocation
{
    public virtual string EntryName => inner.EntryName;

    public virtual string? Revision => inner.Revision;

    public virtual bool IsRemote => inner.IsRemote;

    protected IWeightLocation Inner => inner;

    public virtual ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        inner.OpenAsync(name, cancellationToken);

    public virtual ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        inner.OpenAsync(name, firstBytes, cancellationToken);

    public virtual IWeightSource? OpenAhead(string name, long expectedLength) => inner.OpenAhead(name, expectedLength);
}
