using System.Globalization;
using TypedWeights.Memory;

namespace TypedWeights.Tool.Running;

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
        OutOfMemoryException => new(ExitCodes.Failed, OutOfMemory(ContainerMemory.Read()), e, SourceErrorKinds.OutOfMemory),
        _ => null,
    };

    /// <summary>What is said of memory that was not there: whatever asked for it did not say how much.</summary>
    /// <param name="container">The container of this process; null where there is none.</param>
    public static string OutOfMemory(ContainerMemory? container)
    {
        string where = container is null
            ? string.Create(CultureInfo.InvariantCulture, $"this process uses {Environment.WorkingSet:N0} bytes")
            : string.Create(
                CultureInfo.InvariantCulture, $"of the {container.Limit:N0} bytes that {container.Where} allows, {container.Used:N0} are in use");
        return $"there is not enough memory for this command: {where}. Give it more, or ask for less at once.";
    }
}
