namespace TypedWeights.Snapshots;

/// <summary>What differs between a snapshot and its source. The first four break the contract, the others do not.</summary>
internal enum SnapshotDifferenceKind
{
    /// <summary>A tensor of the snapshot is not in the source.</summary>
    MissingTensor,

    /// <summary>A tensor of the source is not in the snapshot.</summary>
    NewTensor,

    /// <summary>A tensor has another dtype or shape.</summary>
    ChangedTensor,

    /// <summary>A name stands for another tensor, or no longer for one.</summary>
    Tie,

    /// <summary>The source resolves to another revision.</summary>
    Revision,

    /// <summary>A file is gone, new, of another length, of another version, or its header is written differently.</summary>
    File,

    /// <summary>An entry of a file's metadata differs.</summary>
    Metadata,

    /// <summary>Tensors lie in another file or at another place.</summary>
    Layout,
}

/// <summary>One difference between a snapshot and its source.</summary>
/// <param name="Kind">What differs.</param>
/// <param name="Name">The tensor, tie or file that differs; empty if the difference concerns the whole snapshot.</param>
/// <param name="Message">A clause that goes after the name: <c>BF16 [4, 8] became F16 [4, 8]</c>.</param>
internal sealed record SnapshotDifference(SnapshotDifferenceKind Kind, string Name, string Message)
{
    /// <summary>
    /// Whether code generated from the snapshot no longer fits the source: names, dtypes, shapes and ties are the contract; files,
    /// offsets, versions and other metadata are hints, and a load survives their change.
    /// </summary>
    public bool IsDrift => Kind <= SnapshotDifferenceKind.Tie;
}
