namespace TypedWeights.Snapshots;

/// <summary>A snapshot that cannot be read or contradicts itself.</summary>
/// <param name="position">The byte of the snapshot that the error is about, counted from 0.</param>
/// <param name="message">What was expected and what was found.</param>
internal sealed class SnapshotFormatException(int position, string message) : FormatException(message)
{
    /// <summary>The byte of the snapshot that the error is about, counted from 0.</summary>
    public int Position { get; } = position;
}
