using System.Globalization;

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
        MemoryLimitException => new(ExitCodes.Failed, e.Message, e, SourceErrorKinds.OutOfMemory),
        WeightsException => new(ExitCodes.Failed, e.Message, e, e.InnerException is OutOfMemoryException ? SourceErrorKinds.OutOfMemory : ""),
        OutOfMemoryException => new(ExitCodes.Failed, OutOfMemory(), e, SourceErrorKinds.OutOfMemory),
        _ => null,
    };

    // Whatever asked for it did not say how much: what is there says as much.
    private static string OutOfMemory()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"there is not enough memory for this command: of the {memory.TotalAvailableMemoryBytes:N0} bytes that this process may use, "
                + $"{Environment.WorkingSet:N0} are in use. Give it more, or ask for less at once.");
    }
}
