using TorchSharp;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>Saves tensors as the reference does: canonical, streamed, and whole or not at all.</summary>
public static class SafeTensors
{
    /// <summary>Saves tensors of any device under their names.</summary>
    /// <param name="path">The file; what is there is replaced once the new one is whole.</param>
    /// <param name="tensors">
    /// The tensors, from any device; one at a time is copied to the CPU and made contiguous where it is not. They stay the caller's and
    /// must not change until the task has ended.
    /// </param>
    /// <param name="metadata">Texts to keep with them; null for none.</param>
    /// <param name="cancellationToken">Ends the writing; the old file, if any, stays as it was.</param>
    /// <remarks>
    /// The format cannot alias. A tensor that is another one under a second name (the same elements of the same memory) is written once,
    /// under the name that comes first in ordinal order, and the other name is recorded in the metadata as
    /// <c>"dropped": "kept"</c>, as <c>safetensors.torch.save_model</c> does; loading brings both names back. A dropped name without a dot
    /// gets a second entry, <c>"tie:dropped": "kept"</c>, as any text could be such a key.
    /// </remarks>
    /// <exception cref="WeightsException">
    /// Two tensors overlap in memory without being the same, or one is of a kind that the format cannot hold (complex128, quantised,
    /// sparse, meta). The tensor is named and nothing has been written.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// Two tensors have one name, a name cannot be written, or a tensor or a metadata text is null or has been disposed. It is named and
    /// nothing has been written.
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
        return WriteAsync(path, [.. tensors.Select(pair => SavedTensor.Of(pair.Key, pair.Value, nameof(tensors)))], metadata, cancellationToken);
    }

    /// <summary>Saves what has been described; the one way of all that saves.</summary>
    internal static Task WriteAsync(
        string path, IReadOnlyList<SavedTensor> tensors, IReadOnlyDictionary<string, string>? metadata, CancellationToken cancellationToken)
    {
        TiedTensors tied = TiedTensors.Find(tensors, metadata);
        IEnumerable<SafeTensorsEntry> entries = tied.Kept.Select(tensor => new SafeTensorsEntry(
            tensor.Name,
            tensor.DType,
            tensor.Shape,
            (stream, token) => TensorStream.WriteAsync(tensor.Tensor, tensor.Name, stream, token),
            nameof(tensors)));
        return SafeTensorsWriter.WriteAsync(path, entries, tied.Metadata, cancellationToken);
    }
}
