using TypedWeights.Snapshots;

namespace TypedWeights.Checkpoints;

/// <summary>Takes the snapshot of a checkpoint: everything comes from its headers, nothing is read.</summary>
internal static class SnapshotBuilder
{
    /// <summary>Takes a snapshot.</summary>
    /// <param name="checkpoint">The opened checkpoint. Its URI's display becomes the snapshot's source, so no secret can get in.</param>
    /// <param name="className">The class it is for, or null for <see cref="SnapshotClassName.For"/> of the URI.</param>
    /// <param name="digests">SHA-256 of every tensor by its name, in lower-case hexadecimal; null for a snapshot without.</param>
    public static WeightSnapshot Build(
        Checkpoint checkpoint, string? className = null, IReadOnlyDictionary<string, string>? digests = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        SnapshotFile[] files =
        [
            .. checkpoint.Files.Select(file => new SnapshotFile(
                file.Name,
                file.Source.Length,
                file.Source.Validator,
                file.Header.HeaderLength,
                file.Header.Sha256,
                InOrder(file.Header.Metadata))
            {
                Version = file.Source.Version,
            }),
        ];
        SnapshotTensor[] tensors =
        [
            .. TensorSelection.TensorsOf(checkpoint).Select(tensor => new SnapshotTensor(
                tensor.Info.Name, tensor.Info.DType, tensor.Info.Shape, tensor.File, tensor.Info.Begin, tensor.Info.End, digests?[tensor.Info.Name])),
        ];

        // In place: a header may have a million.
        Array.Sort(tensors, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new WeightSnapshot(
            className ?? SnapshotClassName.For(checkpoint.Uri), checkpoint.Uri.Display, checkpoint.Revision, files, tensors)
        {
            Index = checkpoint.Index is ({ } name, { } version, _) ? new SnapshotIndex(name, version) : null,
        };
    }

    // In place: a header may have seven million.
    private static KeyValuePair<string, string>[] InOrder(IReadOnlyDictionary<string, string> metadata)
    {
        KeyValuePair<string, string>[] sorted = [.. metadata];
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return sorted;
    }
}
