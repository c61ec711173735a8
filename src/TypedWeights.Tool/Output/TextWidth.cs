using Spectre.Console.Rendering;
using TypedWeights.Errors;

namespace TypedWeights.Tool.Output;

/// <summary>Columns that a text takes in a terminal: two for a Chinese character, those of its escape for a hidden one.</summary>
internal static class TextWidth
{
    public static int Of(string text) => new Segment(Printable.Line(text)).CellCount();

    public static string PadRight(string text, int width) => text + new string(' ', Math.Max(0, width - Of(text)));
}
