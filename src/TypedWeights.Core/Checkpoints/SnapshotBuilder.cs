using TypedWeights.Snapshots;

namespace TypedWeights.Checkpoints;

/// <summary>Takes the snapshot of a checkpoint from its headers; no payload is read.</summary>
internal static class SnapshotBuilder
{
    /// <summary>Takes a snapshot.</summary>
    /// <param name="checkpoint">The opened checkpoint. Its URI's display becomes the snapshot's source, so that it holds no secret.</param>
    /// <param name="className">The class that it is for, or null for <see cref="SnapshotClassName.For"/> of the URI.</param>
    /// <param name="digests">SHA-256 of every tensor by its name, in lower-case hexadecimal; null for a snapshot without digests.</param>
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
                [.. file.Header.Metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal)])
            {
                Version = file.Source.Version,
            }),
        ];
        SnapshotTensor[] tensors =
        [
            .. checkpoint.Tensors.Values.OrderBy(static tensor => tensor.Info.Name, StringComparer.Ordinal).Select(tensor => new SnapshotTensor(
                tensor.Info.Name, tensor.Info.DType, tensor.Info.Shape, tensor.File, tensor.Info.Begin, tensor.Info.End, digests?[tensor.Info.Name])),
        ];
        return new WeightSnapshot(
            className ?? SnapshotClassName.For(checkpoint.Uri), checkpoint.Uri.Display, checkpoint.Revision, files, tensors)
        {
            Index = checkpoint.Index is ({ } name, { } version, _) ? new SnapshotIndex(name, version) : null,
        };
    }
}
