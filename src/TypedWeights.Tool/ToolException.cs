namespace TypedWeights.Tool;

/// <summary>An expected failure: what the one line after <c>error:</c> says, and what the process returns.</summary>
internal sealed class ToolException : Exception
{
    public ToolException(int exitCode, string message, Exception? innerException = null, string kind = "")
        : base(message, innerException)
    {
        ExitCode = exitCode;
        Kind = kind;
    }

    /// <summary>
    /// The kind in <c>inspect --json</c>: the name of a <see cref="SafeTensorsErrorKind"/> or one of <see cref="SourceErrorKinds"/>; empty
    /// for what cannot happen there.
    /// </summary>
    public string Kind { get; }

    public int ExitCode { get; }

    /// <summary>Turns the failures that a command can expect into one; others are defects and give null.</summary>
    public static ToolException? From(Exception e) => e switch
    {
        ToolException known => known,
        SafeTensorsFormatException format => new(ExitCodes.Failed, e.Message, e, format.Kind.ToString()),
        WeightSourceException { IsNotFound: true } => new(ExitCodes.Unreachable, e.Message, e, SourceErrorKinds.NotFound),
        WeightSourceException => new(ExitCodes.Unreachable, e.Message, e, SourceErrorKinds.Unreachable),
        WeightsException => new(ExitCodes.Failed, e.Message, e),
        _ => null,
    };
}
