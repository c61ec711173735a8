using TypedWeights.Errors;

namespace TypedWeights.Tool.Running;

/// <summary>The part of the process that a command uses.</summary>
/// <param name="Out">Standard output: results.</param>
/// <param name="Error">Standard error: errors and warnings.</param>
/// <param name="CurrentDirectory">The full path of the folder that relative paths start from.</param>
/// <param name="Terminal">Describes <paramref name="Out"/>.</param>
internal sealed record ToolContext(TextWriter Out, TextWriter Error, string CurrentDirectory, Terminal Terminal)
{
    /// <summary>The context of the real process.</summary>
    public static ToolContext OfProcess() => new(
        Console.Out, Console.Error, Environment.CurrentDirectory, Terminal.Of(Console.IsOutputRedirected))
    {
        ErrorTerminal = Terminal.Of(Console.IsErrorRedirected),
    };

    /// <summary>Describes <see cref="Error"/>, where progress is drawn.</summary>
    public Terminal ErrorTerminal { get; init; } = Terminal.Redirected;

    /// <summary>A path as given on the command line, in full.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, CurrentDirectory);

    /// <summary>A full path as a person in the current directory would write it, with <c>/</c>.</summary>
    public string ShortPath(string fullPath)
    {
        string relative = Path.GetRelativePath(CurrentDirectory, fullPath);
        return (relative.StartsWith("..", StringComparison.Ordinal) ? fullPath : relative).Replace('\\', '/');
    }

    /// <summary>Writes an error as one line.</summary>
    public Task WriteErrorAsync(string message) => Error.WriteLineAsync("error: " + Printable.Line(message));

    /// <summary>Writes a warning as one line; safe for use from many threads.</summary>
    public void WriteWarning(string message)
    {
        lock (Error)
        {
            Error.WriteLine("warning: " + Printable.Line(message));
        }
    }
}

/// <summary>The width of lines, and whether they may have colours.</summary>
/// <param name="Width">In columns; null if the output is redirected, and lines have any length.</param>
/// <param name="HasColor">Whether escape sequences may be written.</param>
internal sealed record Terminal(int? Width, bool HasColor)
{
    private const int Narrowest = 40;

    /// <summary>Output that goes to a file, a pipe or a test: plain text.</summary>
    public static Terminal Redirected { get; } = new(null, HasColor: false);

    /// <summary>Whether lines can be drawn over again: a bar that grows instead of line after line.</summary>
    public bool CanRedraw { get; init; }

    /// <summary>The terminal of an output of this process. NO_COLOR and TERM=dumb are respected.</summary>
    public static Terminal Of(bool isRedirected)
    {
        if (isRedirected)
        {
            return Redirected;
        }

        bool isDumb = Environment.GetEnvironmentVariable("TERM") == "dumb";
        bool color = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !isDumb;
        return new Terminal(Math.Max(Narrowest, WindowWidth()), color) { CanRedraw = !isDumb };
    }

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
