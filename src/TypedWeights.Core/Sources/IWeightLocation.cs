namespace TypedWeights.Sources;

/// <summary>Where a checkpoint lies: an entry file and the files beside it, at one revision.</summary>
public interface IWeightLocation
{
    /// <summary>The name of the entry file: a <c>.safetensors</c> file or a <c>.safetensors.index.json</c>.</summary>
    string EntryName { get; }

    /// <summary>The resolved revision (commit, version, generation), or null where the store has none.</summary>
    string? Revision { get; }

    /// <summary>Opens a file; its length and validator are known when this returns.</summary>
    /// <param name="name">A checked name relative to the entry's folder, with <c>/</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">
    /// The file cannot be opened; <see cref="WeightSourceException.IsNotFound"/> tells whether it is absent.
    /// </exception>
    ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken);
}
