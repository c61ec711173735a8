using System.Globalization;
using Spectre.Console;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;

namespace TypedWeights.Tool.Inspection;

/// <summary>
/// The tensors of a checkpoint as lines: name, dtype, shape, size. Names that share a list of layers are below it; if the
/// terminal is too narrow for whole names, only the text after the number of the layer is printed.
/// </summary>
internal sealed class TensorTable
{
    private const int Gap = 2;

    // Wider columns would push everything else off the screen because of one line.
    private const int WidestShape = 28;
    private const int WidestName = 100;

    // A name can be a hundred megabytes long.
    private const int LongestName = 1000;

    private readonly List<TableLine> _lines;
    private readonly int _name;
    private readonly int _dtype;
    private readonly int _shape;
    private readonly int _size;

    private TensorTable(List<TableLine> lines, int? width)
    {
        _lines = lines;
        _dtype = lines.Max(line => line.DType.Length);
        _shape = Math.Min(WidestShape, lines.Max(line => line.Shape.Length));
        _size = lines.Max(line => line.Size.Length);
        int widest = Math.Min(WidestName, lines.Max(line => TextWidth.Of(line.Name)));
        _name = width is null ? widest : Math.Min(widest, width.Value - _dtype - _shape - _size - (3 * Gap));
        Fits = _name == widest;
    }

    private bool Fits { get; }

    public static void Print(Page page, IReadOnlyList<TensorRow> rows)
    {
        var table = new TensorTable(TableLine.Of(rows, shorten: false), page.Width);
        if (!table.Fits)
        {
            table = new TensorTable(TableLine.Of(rows, shorten: true), page.Width);
        }

        foreach (TableLine line in table._lines)
        {
            table.Print(page, line);
        }
    }

    private void Print(Page page, TableLine line)
    {
        string name = line.Name;
        if (TextWidth.Of(name) > _name)
        {
            // On a separate line, so that a name is never cut.
            page.Line((name, line.Style));
            name = "";
        }

        string shape = line.Shape.PadRight(_shape);
        page.Line(
            (TextWidth.PadRight(name, _name) + Spaces(Gap), line.Style),
            (line.DType.PadRight(_dtype) + Spaces(Gap), Page.Good),
            (shape + Spaces(Gap), Page.Plain),
            (line.Size.PadLeft(_size), line.Style == Page.Strong ? Page.Strong : Page.Faint));
    }

    private static string Spaces(int count) => new(' ', count);

    /// <summary>The cells of one line.</summary>
    private sealed record TableLine(string Name, string DType, string Shape, string Size, Style Style)
    {
        public static List<TableLine> Of(IReadOnlyList<TensorRow> rows, bool shorten)
        {
            var lines = new List<TableLine>();
            for (int start = 0, end; start < rows.Count; start = end)
            {
                string? prefix = rows[start].ListPrefix;
                end = start + 1;
                while (prefix is not null && end < rows.Count && rows[end].ListPrefix == prefix)
                {
                    end++;
                }

                AddList(lines, [.. rows.Skip(start).Take(end - start)], shorten);
            }

            return lines;
        }

        // Layers of one kind are together: the dense ones of a mixture of experts, then those with experts.
        private static void AddList(List<TableLine> lines, TensorRow[] list, bool shorten)
        {
            if (list.All(row => row.ListPrefix is null || row.ListNumbers.Length == 1))
            {
                lines.AddRange(list.Select(row => Of(row, "  " + Shown(row.Name))));
                return;
            }

            foreach (IGrouping<string, TensorRow> kind in list.GroupBy(row => row.ListText)
                .OrderBy(kind => kind.First().ListNumbers[0]).ThenByDescending(kind => kind.First().ListNumbers.Length))
            {
                string heading = "  " + kind.First().ListPrefix + kind.Key;
                lines.Add(new TableLine(heading, "", "", ByteText.Of(kind.Sum(row => row.TotalLength)), Page.Strong));
                lines.AddRange(kind.OrderBy(row => row.WithinElement, NaturalOrder.Instance)
                    .Select(row => Of(row, "    " + Shown(shorten ? row.WithinElement.TrimStart('.') : row.Name))));
            }
        }

        private static string Shown(string name) => name.Length <= LongestName ? name : Printable.Name(name);

        private static TableLine Of(TensorRow row, string name)
        {
            string times = row.Pattern.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{row.Pattern.Count:N0} × ");
            return new TableLine(name, row.DType.Name(), row.Shape.ToShortString(), times + ByteText.Of(row.ByteLength), Page.Plain);
        }
    }
}
