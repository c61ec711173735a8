namespace TypedWeights.Json;

/// <summary>Text that is not the JSON its reader asked for. Always caught and turned into an error that names the file.</summary>
internal sealed class JsonReadException : Exception
{
    public JsonReadException(int position, string message)
        : base(message) => Position = position;

    /// <summary>The byte at which reading stopped, counted from the first byte of the JSON text.</summary>
    public int Position { get; }
}
