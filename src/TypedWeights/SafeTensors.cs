using TorchSharp;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>
/// Loads tensors by name with the process's own loader, and saves tensors as the reference does: canonical, streamed, and whole or not at all.
/// </summary>
public static class SafeTensors
{
    /// <summary>Loads the tensors of a checkpoint by name, with <see cref="WeightLoader.Default"/>.</summary>
    /// <inheritdoc cref="WeightLoader.LoadTensorsAsync(string, TensorLoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public static Task<WeightSet> LoadAsync(
        string source,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        WeightLoader.Default.LoadTensorsAsync(source, options, progress, cancellationToken);

    /// <summary>Loads tensors by name from a stream, with <see cref="WeightLoader.Default"/>.</summary>
    /// <inheritdoc cref="WeightLoader.LoadTensorsAsync(Stream, TensorLoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public static Task<WeightSet> LoadAsync(
        Stream stream,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        WeightLoader.Default.LoadTensorsAsync(stream, options, progress, cancellationToken);

    /// <summary>Loads tensors by name from a file in memory, with <see cref="WeightLoader.Default"/>.</summary>
    /// <inheritdoc cref="WeightLoader.LoadTensorsAsync(ReadOnlyMemory{byte}, TensorLoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public static Task<WeightSet> LoadAsync(
        ReadOnlyMemory<byte> bytes,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        WeightLoader.Default.LoadTensorsAsync(bytes, options, progress, cancellationToken);

    /// <summary>Saves tensors of any device under their names.</summary>
    /// <param name="path">The file; an existing one is replaced when the new one is whole.</param>
    /// <param name="tensors">
    /// The tensors, on any device; one at a time is copied to the CPU and made contiguous if it is not. The caller keeps them, and must not
    /// change them until the task has ended.
    /// </param>
    /// <param name="metadata">Metadata to save with them; may be null.</param>
    /// <param name="cancellationToken">Ends the writing; the old file, if any, stays as it was.</param>
    /// <remarks>
    /// The format has no ties. A tensor that is another one under a second name (the same elements of the same memory) is written once,
    /// under the name that comes first in ordinal order, and the other name is recorded in the metadata as
    /// <c>"dropped": "kept"</c>, as <c>safetensors.torch.save_model</c> does; loading restores both names. A dropped name without a dot
    /// gets a second entry, <c>"tie:dropped": "kept"</c>, because ordinary metadata could have such a key.
    /// </remarks>
    /// <exception cref="WeightsException">
    /// Two tensors overlap in memory without being the same, or one is of a kind that the format cannot hold (complex128, quantised,
    /// sparse, meta). The message names the tensor; nothing was written.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// Two tensors have one name, a name cannot be written, or a tensor or a metadata text is null or has been disposed. The message names it;
    /// nothing was written.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static Task SaveAsync(
        string path,
        IEnumerable<KeyValuePair<string, torch.Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        TorchNative.EnsureLoaded();
        SavedTensor[] saved = [.. tensors.Select(pair => SavedTensor.Of(pair.Key, pair.Value, nameof(tensors)))];
        return SavedFile.WriteAsync(path, saved, metadata, cancellationToken);
    }
}
