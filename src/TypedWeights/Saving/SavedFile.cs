namespace TypedWeights.Saving;

/// <summary>The one way of everything that saves tensors.</summary>
internal static class SavedFile
{
    /// <summary>Writes tensors that have been described.</summary>
    public static Task WriteAsync(
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
