using System.Text.Json;

namespace TypedWeights.Bench.Figures;

/// <summary>The table. The measuring process writes it; the process that started it reads and prints it.</summary>
internal static class FigureTable
{
    public static void Write(string path, IReadOnlyList<Figure> figures) => File.WriteAllText(path, JsonSerializer.Serialize(figures));

    public static IReadOnlyList<Figure> Read(string path) => JsonSerializer.Deserialize<List<Figure>>(File.ReadAllText(path))!;

    /// <summary>Prints the rows as a Markdown table.</summary>
    public static void Print(IReadOnlyList<Figure> figures)
    {
        string[][] rows =
        [
            ["Work", "measured", "limit or peer", "ratio", "target", "ok"],
            .. figures.Select(figure => new[]
            {
                figure.Work, figure.Measured, figure.Against, figure.Ratio, figure.Wanted,
                figure.Ok switch { true => "yes", false => "NO", null => "skipped" },
            }),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        for (int i = 0; i < rows.Length; i++)
        {
            Console.WriteLine("| " + string.Join(" | ", rows[i].Select((cell, column) => cell.PadRight(widths[column]))) + " |");
            if (i == 0)
            {
                Console.WriteLine("|" + string.Join("|", widths.Select(width => new string('-', width + 2))) + "|");
            }
        }
    }
}
