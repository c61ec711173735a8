using TypedWeights.Snapshots;

namespace TypedWeights.Generators.Model;

/// <summary>An additional file of the project: a snapshot, or what is wrong with it.</summary>
/// <param name="Path">Its path, only for messages.</param>
/// <param name="Content">Its content; null if it cannot be read.</param>
/// <param name="Problem">What is wrong with it; null if nothing is.</param>
internal sealed record SnapshotSpec(string Path, SnapshotContent? Content, SnapshotProblem? Problem);

/// <summary>What is wrong with a snapshot, and where, without a location object.</summary>
internal sealed record SnapshotProblem(string Message, int Offset, int Line, int Column);

/// <summary>A snapshot that compares by its content.</summary>
internal sealed class SnapshotContent : IEquatable<SnapshotContent>
{
    private readonly int _hash;

    public SnapshotContent(WeightSnapshot snapshot)
    {
        Snapshot = snapshot;
        int hash = StringComparer.Ordinal.GetHashCode(snapshot.Source);
        foreach (SnapshotTensor tensor in snapshot.Tensors)
        {
            hash = unchecked((hash * 31) + tensor.GetHashCode());
        }

        _hash = hash;
    }

    public WeightSnapshot Snapshot { get; }

    public bool Equals(SnapshotContent? other)
    {
        if (other is null || _hash != other._hash)
        {
            return false;
        }

        WeightSnapshot a = Snapshot;
        WeightSnapshot b = other.Snapshot;
        return a.Class == b.Class && a.Source == b.Source && a.Revision == b.Revision && a.Index == b.Index
            && a.Files.SequenceEqual(b.Files, FileComparer.Instance) && a.Tensors.SequenceEqual(b.Tensors);
    }

    public override bool Equals(object? obj) => Equals(obj as SnapshotContent);

    public override int GetHashCode() => _hash;

    // The record compares its metadata by reference.
    private sealed class FileComparer : IEqualityComparer<SnapshotFile>
    {
        public static readonly FileComparer Instance = new();

        public bool Equals(SnapshotFile? x, SnapshotFile? y) =>
            x is not null && y is not null && x.Name == y.Name && x.Length == y.Length && x.Validator == y.Validator
            && x.Version == y.Version
            && x.HeaderLength == y.HeaderLength && x.HeaderSha256 == y.HeaderSha256 && x.Metadata.SequenceEqual(y.Metadata);

        public int GetHashCode(SnapshotFile obj) => StringComparer.Ordinal.GetHashCode(obj.Name);
    }
}
