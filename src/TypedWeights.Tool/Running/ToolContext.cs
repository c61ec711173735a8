using TypedWeights.Errors;

namespace TypedWeights.Tool.Running;

/// <summary>What a command sees of the process it runs in.</summary>
/// <param name="Out">Standard output: results.</param>
/// <param name="Error">Standard error: errors and warnings.</param>
/// <param name="CurrentDirectory">Where relative paths start, in full.</param>
/// <param name="Terminal">What <paramref name="Out"/> is.</param>
internal sealed record ToolContext(TextWriter Out, TextWriter Error, string CurrentDirectory, Terminal Terminal)
{
    /// <summary>The context of the real process.</summary>
    public static ToolContext OfProcess() =>
        new(Console.Out, Console.Error, Environment.CurrentDirectory, Terminal.OfOutput()) { ErrorTerminal = Terminal.OfError() };

    /// <summary>What <see cref="Error"/> is: progress is drawn there.</summary>
    public Terminal ErrorTerminal { get; init; } = Terminal.Redirected;

    /// <summary>A path as given on the command line, in full.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, CurrentDirectory);

    /// <summary>A full path as a person in the current directory would write it, with <c>/</c>.</summary>
    public string ShortPath(string fullPath)
    {
        string relative = Path.GetRelativePath(CurrentDirectory, fullPath);
        return (relative.StartsWith("..", StringComparison.Ordinal) ? fullPath : relative).Replace('\\', '/');
    }

    /// <summary>Writes an error as the one line that a script and a person look for.</summary>
    public Task WriteErrorAsync(string message) => Error.WriteLineAsync("error: " + Printable.Line(message));

    /// <summary>Writes what is odd and not an error.</summary>
    public Task WriteWarningAsync(string message) => Error.WriteLineAsync("warning: " + Printable.Line(message));

    /// <summary>Writes what is odd and not an error, from any thread.</summary>
    public void WriteWarning(string message)
    {
        lock (Error)
        {
            Error.WriteLine("warning: " + Printable.Line(message));
        }
    }
}
