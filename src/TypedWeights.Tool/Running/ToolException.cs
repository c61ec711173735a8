using System.Globalization;
using TypedWeights.Memory;

namespace TypedWeights.Tool.Running;

/// <summary>An expected failure: the line after <c>error:</c>, and the exit code.</summary>
internal sealed class ToolException(int exitCode, string message, Exception? innerException = null, string kind = "")
    : Exception(message, innerException)
{
    /// <summary>
    /// The kind in <c>inspect --json</c>: the name of a <see cref="SafeTensorsErrorKind"/> or one of <see cref="SourceErrorKinds"/>; empty
    /// for a failure that cannot happen there.
    /// </summary>
    public string Kind => kind;

    public int ExitCode => exitCode;

    /// <summary>Turns an expected failure into a <see cref="ToolException"/>; null for others, which are defects.</summary>
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

    /// <summary>The message for a lack of memory whose size is not known.</summary>
    /// <param name="container">The container of this process; null if it has none.</param>
    public static string OutOfMemory(ContainerMemory? container)
    {
        string where = container is null
            ? string.Create(CultureInfo.InvariantCulture, $"this process uses {Environment.WorkingSet:N0} bytes")
            : string.Create(
                CultureInfo.InvariantCulture, $"of the {container.Limit:N0} bytes that {container.Where} allows, {container.Used:N0} are in use");
        return $"not enough memory for this command: {where}. Provide more memory, or read less at once.";
    }
}

/// <summary>The exit codes. Scripts depend on them, and docs/tool.md lists them.</summary>
internal static class ExitCodes
{
    /// <summary>Success.</summary>
    public const int Success = 0;

    /// <summary>A file is not as expected: drift, an invalid checkpoint, an unreadable snapshot.</summary>
    public const int Failed = 1;

    /// <summary>A source could not be reached or read, so nothing is known about it.</summary>
    public const int Unreachable = 2;

    /// <summary>The command line is wrong (EX_USAGE).</summary>
    public const int Usage = 64;

    /// <summary>A defect of the tool (EX_SOFTWARE).</summary>
    public const int Defect = 70;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by a request of the system: 128 + SIGTERM.</summary>
    public const int Terminated = 143;
}

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

    /// <summary>The store reports that the URI does not exist.</summary>
    public const string NotFound = "NotFound";

    /// <summary>The store did not send the bytes: no connection, no permission, no ranges, or the file changed meanwhile.</summary>
    public const string Unreachable = "Unreachable";

    /// <summary>The file needs more memory than there is.</summary>
    public const string OutOfMemory = "OutOfMemory";
}
