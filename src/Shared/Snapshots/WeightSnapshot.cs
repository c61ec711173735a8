namespace TypedWeights.Snapshots;

/// <summary>
/// A checkpoint's headers as they were when the snapshot was taken: what the generator builds a class from and what
/// <c>typedweights verify</c> compares with the source.
/// </summary>
/// <param name="class">The name of the class that the snapshot is taken for.</param>
/// <param name="source">The source as messages may show it.</param>
/// <param name="revision">The resolved revision; null where the source has none.</param>
/// <param name="files">The files in ordinal order of their names.</param>
/// <param name="tensors">The tensors of all files in ordinal order of their names.</param>
internal sealed class WeightSnapshot(
    string @class, string source, string? revision, IReadOnlyList<SnapshotFile> files, IReadOnlyList<SnapshotTensor> tensors)
{
    /// <summary>The first member of every snapshot; another version is refused by name.</summary>
    public const string Schema = "typedweights.snapshot/1";

    /// <summary>The name of the class that the snapshot was taken for.</summary>
    public string Class { get; } = @class;

    /// <summary>The source as <see cref="TypedWeights.Sources.WeightUri.Display"/> shows it.</summary>
    public string Source { get; } = source;

    /// <summary>The resolved revision (a commit, a version, a generation), where the source has one.</summary>
    public string? Revision { get; } = revision;

    /// <summary>The index that names the files, where the store has a version of it: another version may name other files.</summary>
    public SnapshotIndex? Index { get; init; }

    /// <summary>The files in ordinal order of their names.</summary>
    public IReadOnlyList<SnapshotFile> Files { get; } = files;

    /// <summary>The tensors of all files in ordinal order of their names.</summary>
    public IReadOnlyList<SnapshotTensor> Tensors { get; } = tensors;
}

/// <summary>The index of a sharded model in a store that keeps versions.</summary>
/// <param name="Name">The name relative to the source's folder.</param>
/// <param name="Version">The store's version (<c>versionId</c>, generation).</param>
internal sealed record SnapshotIndex(string Name, string Version);

/// <summary>One file of a snapshot.</summary>
/// <param name="Name">The name relative to the source's folder, with <c>/</c>; the file's own name for a single file.</param>
/// <param name="Length">Bytes in the file.</param>
/// <param name="Validator">The ETag with its quotes, or <c>last-modified:…</c>; null where the source has none.</param>
/// <param name="HeaderLength">The header's length in bytes, without the eight bytes that hold it.</param>
/// <param name="HeaderSha256">SHA-256 of the header's bytes in lower-case hexadecimal.</param>
/// <param name="Metadata">The header's <c>__metadata__</c>, in ordinal order of the keys.</param>
internal sealed record SnapshotFile(
    string Name,
    long Length,
    string? Validator,
    long HeaderLength,
    string HeaderSha256,
    IReadOnlyList<KeyValuePair<string, string>> Metadata)
{
    /// <summary>The store's version of the file (<c>versionId</c>, generation), where it has one.</summary>
    public string? Version { get; init; }
}

/// <summary>One tensor of a snapshot.</summary>
/// <param name="Name">The name in the header.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape, counted in elements.</param>
/// <param name="File">An index into <see cref="WeightSnapshot.Files"/>.</param>
/// <param name="Begin">The first byte, counted from the end of the file's header.</param>
/// <param name="End">The byte after the last.</param>
/// <param name="Sha256">SHA-256 of the tensor's bytes in lower-case hexadecimal, where the snapshot was taken with digests.</param>
internal sealed record SnapshotTensor(string Name, DType DType, TensorShape Shape, int File, long Begin, long End, string? Sha256);
