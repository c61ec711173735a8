namespace TypedWeights.Tool.Running;

/// <summary>How wide lines may be and whether they may have colours.</summary>
/// <param name="Width">Columns; null where the output is redirected and lines are as long as they are.</param>
/// <param name="HasColor">Whether escape sequences are welcome.</param>
internal sealed record Terminal(int? Width, bool HasColor)
{
    private const int Narrowest = 40;

    /// <summary>Output that goes to a file, a pipe or a test: plain text.</summary>
    public static Terminal Redirected { get; } = new(null, HasColor: false);

    /// <summary>Whether lines can be drawn over again: a bar that grows instead of line after line.</summary>
    public bool CanRedraw { get; init; }

    /// <summary>The terminal that standard output is. NO_COLOR and TERM=dumb are heeded.</summary>
    public static Terminal OfOutput() => Of(Console.IsOutputRedirected);

    /// <summary>The terminal that standard error is.</summary>
    public static Terminal OfError() => Of(Console.IsErrorRedirected);

    private static Terminal Of(bool isRedirected)
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
