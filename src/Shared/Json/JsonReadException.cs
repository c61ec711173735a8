namespace TypedWeights.Json;

/// <summary>Text that is not the JSON that its reader expects. Always caught and turned into an error that names the file.</summary>
/// <param name="position">The byte at which reading stopped, counted from the first byte of the JSON text.</param>
/// <param name="message">What was expected and what was found.</param>
internal sealed class JsonReadException(int position, string message) : Exception(message)
{
    /// <summary>The byte at which reading stopped, counted from the first byte of the JSON text.</summary>
    public int Position { get; } = position;
}
