namespace TypedWeights.Tool.Running;

/// <summary>
/// The kinds of errors in <c>inspect --json</c> that are not about a file's content; the others are the names of
/// <see cref="SafeTensorsErrorKind"/>.
/// </summary>
internal static class SourceErrorKinds
{
    /// <summary>The text is neither a path nor a URI.</summary>
    public const string InvalidUri = "InvalidUri";

    /// <summary>No provider of this tool serves the scheme.</summary>
    public const string UnknownScheme = "UnknownScheme";

    /// <summary>The store says that there is nothing at the URI.</summary>
    public const string NotFound = "NotFound";

    /// <summary>The store did not give the bytes: no connection, no permission, no ranges, or the file changed meanwhile.</summary>
    public const string Unreachable = "Unreachable";

    /// <summary>There is less memory than the file takes.</summary>
    public const string OutOfMemory = "OutOfMemory";
}
