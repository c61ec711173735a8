using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using TypedWeights.Errors;
using TypedWeights.Snapshots;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Output;

/// <summary>Lines for people: coloured and folded in a terminal, plain and unbroken in a file or pipe.</summary>
internal sealed class Page
{
    // Wider than any line: Spectre folds at the width of its profile even without a terminal.
    private const int Unlimited = 1_000_000;

    private readonly IAnsiConsole _console;

    public Page(ToolContext context)
    {
        Width = context.Terminal.Width;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = context.Terminal.HasColor ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = context.Terminal.HasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(context.Out),
        });
        _console.Profile.Width = Width ?? Unlimited;
    }

    public static Style Plain { get; } = Style.Plain;

    public static Style Strong { get; } = new(decoration: Decoration.Bold);

    public static Style Faint { get; } = new(decoration: Decoration.Dim);

    public static Style Good { get; } = new(Color.Green);

    public static Style Bad { get; } = new(Color.Red);

    public static Style Odd { get; } = new(Color.Yellow);

    /// <summary>The columns of the terminal; null if the output is not a terminal.</summary>
    public int? Width { get; }

    /// <summary>Writes a line of one style. Whatever a file put into the text cannot drive the terminal.</summary>
    public void Line(string text = "", Style? style = null) => Line((text, style ?? Plain));

    /// <summary>Writes a line of several styles.</summary>
    public void Line(params ReadOnlySpan<(string Text, Style Style)> spans)
    {
        var line = new Paragraph { Overflow = Overflow.Fold };
        foreach ((string text, Style style) in spans)
        {
            line.Append(Printable.Line(text), style);
        }

        _console.Write(line);
        _console.WriteLine();
    }
}

/// <summary>A snapshot in half a line: <c>291 tensors, 14.5 GB in 2 files</c>.</summary>
internal static class SnapshotSummary
{
    public static string Of(WeightSnapshot snapshot) =>
        $"{Count(snapshot.Tensors.Count, "tensor")}, "
        + $"{ByteText.Of(snapshot.Files.Sum(file => file.Length))} in {Count(snapshot.Files.Count, "file")}";

    /// <summary>A number with its noun: <c>1 file</c>, <c>18,867 tensors</c>.</summary>
    public static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");
}

/// <summary>The columns of a text in a terminal: two for a Chinese character, those of its escape for an invisible one.</summary>
internal static class TextWidth
{
    public static int Of(string text) => new Segment(Printable.Line(text)).CellCount();

    public static string PadRight(string text, int width) => text + new string(' ', Math.Max(0, width - Of(text)));
}
