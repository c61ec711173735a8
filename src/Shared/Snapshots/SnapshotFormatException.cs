namespace TypedWeights.Snapshots;

/// <summary>A snapshot that cannot be read or contradicts itself.</summary>
internal sealed class SnapshotFormatException : FormatException
{
    /// <summary>Makes the error.</summary>
    /// <param name="position">The byte of the snapshot that it is about.</param>
    /// <param name="message">What was expected and what was found.</param>
    public SnapshotFormatException(int position, string message)
        : base(message) => Position = position;

    /// <summary>The byte of the snapshot that the error is about, counted from 0.</summary>
    public int Position { get; }
}
