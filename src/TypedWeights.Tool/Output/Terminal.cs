namespace TypedWeights.Tool.Output;

/// <summary>How wide lines may be and whether they may have colours.</summary>
/// <param name="Width">Columns; null where the output is redirected and lines are as long as they are.</param>
/// <param name="HasColor">Whether escape sequences are welcome.</param>
internal sealed record Terminal(int? Width, bool HasColor)
{
    private const int Narrowest = 40;

    /// <summary>Output that goes to a file, a pipe or a test: plain text.</summary>
    public static Terminal Redirected { get; } = new(null, HasColor: false);

    /// <summary>The terminal of this process. NO_COLOR and TERM=dumb are heeded.</summary>
    public static Terminal OfProcess()
    {
        if (Console.IsOutputRedirected)
        {
            return Redirected;
        }

        bool color = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new Terminal(Math.Max(Narrowest, WindowWidth()), color);
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
