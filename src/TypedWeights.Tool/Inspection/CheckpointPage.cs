using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Inspection;

/// <summary>What <c>inspect</c> shows a person of one checkpoint.</summary>
internal static class CheckpointPage
{
    // A model of 163 shards is described by its first ones; --json lists them all.
    private const int MostFiles = 12;
    private const int LongestValue = 160;
    private const int MostTexts = 2_000;
    private const string Gap = "   ";

    public static void Print(Page page, OpenedCheckpoint opened, bool isFirst, CancellationToken cancellationToken)
    {
        if (!isFirst)
        {
            page.Line();
        }

        Checkpoint checkpoint = opened.Checkpoint;
        string entry = checkpoint.Uri.Display.EndsWith(opened.EntryName, StringComparison.Ordinal) ? "" : $" ({opened.EntryName})";
        page.Line((checkpoint.Uri.Display, Page.Strong), (entry, Page.Faint));
        IEnumerable<TensorInfo> tensors = checkpoint.Tensors.Values.Select(tensor => tensor.Info);
        page.Line(
            $"{SnapshotSummary.Count(checkpoint.Tensors.Count, "tensor")}, {ByteText.OfValues(CountValues(tensors))} values, "
            + $"{ByteText.Of(checkpoint.Files.Sum(file => file.Source.Length))} in {SnapshotSummary.Count(checkpoint.Files.Count, "file")}"
            + (opened.IsSharded ? "" : $" (header {ByteText.Of(checkpoint.Files[0].Header.HeaderLength)})")
            + (checkpoint.Revision is null ? "" : $", revision {checkpoint.Revision}"));
        if (opened.IsSharded)
        {
            PrintFiles(page, checkpoint);
        }

        if (checkpoint.Tensors.Count > 0)
        {
            PrintTypes(page, tensors);
        }

        PrintMetadata(page, checkpoint);
        if (checkpoint.Tensors.Count > 0)
        {
            Section(page, "Tensors");
            TensorTable.Print(page, TensorRow.Of(tensors, out int leftOut, cancellationToken));
            if (leftOut > 0)
            {
                page.Line($"  … and {SnapshotSummary.Count(leftOut, "more tensor")}; --json lists them all", Page.Faint);
            }
        }

        foreach (string warning in checkpoint.Warnings)
        {
            page.Line(("warning: ", Page.Odd), (warning, Page.Plain));
        }
    }

    private static void PrintFiles(Page page, Checkpoint checkpoint)
    {
        Section(page, "Files");
        PrintColumns(page, checkpoint.Files.Take(MostFiles).Select(file => (string[])
        [
            file.Name,
            ByteText.Of(file.Source.Length),
            SnapshotSummary.Count(file.Header.Tensors.Count, "tensor"),
            "header " + ByteText.Of(file.Header.HeaderLength),
        ]));
        if (checkpoint.Files.Count > MostFiles)
        {
            page.Line($"  … and {SnapshotSummary.Count(checkpoint.Files.Count - MostFiles, "more file")}", Page.Faint);
        }
    }

    private static void PrintTypes(Page page, IEnumerable<TensorInfo> tensors)
    {
        Section(page, "Types");
        IEnumerable<KeyValuePair<DType, (int Tensors, UInt128 Values, decimal Bytes)>> kinds = tensors.AggregateBy(
            tensor => tensor.DType,
            (Tensors: 0, Values: UInt128.Zero, Bytes: 0m),
            (sum, tensor) => (sum.Tensors + 1, sum.Values + ValuesOf(tensor), sum.Bytes + tensor.ByteLength));
        PrintColumns(page, kinds.OrderByDescending(kind => kind.Value.Bytes).Select(kind => (string[])
        [
            kind.Key.Name(),
            SnapshotSummary.Count(kind.Value.Tensors, "tensor"),
            ByteText.OfValues(kind.Value.Values) + " values",
            ByteText.Of((long)kind.Value.Bytes),
        ]));
    }

    private static void PrintMetadata(Page page, Checkpoint checkpoint)
    {
        if (checkpoint.Metadata.Count == 0)
        {
            return;
        }

        Section(page, "Metadata");

        // The first ones in the file, if there are very many: sorting all of them would take more memory than they do.
        int count = checkpoint.Metadata.Count;
        foreach ((string key, string value) in checkpoint.Metadata.Take(MostTexts).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string name = key.Length <= LongestValue ? key : Printable.Name(key);
            string shown = value.Length <= LongestValue ? value : Printable.Name(value);
            string tie = checkpoint.Ties.ContainsKey(key) ? " (tied)" : "";
            page.Line(($"  {name}: ", Page.Faint), (shown, Page.Plain), (tie, Page.Good));
        }

        if (count > MostTexts)
        {
            page.Line($"  … and {SnapshotSummary.Count(count - MostTexts, "more text")}; --json lists them all", Page.Faint);
        }
    }

    private static void Section(Page page, string name) => page.Line(name, Page.Faint);

    // Names to the left, numbers to the right; names too long for that on lines of their own.
    private static void PrintColumns(Page page, IEnumerable<string[]> lines)
    {
        string[][] cells = [.. lines];
        int[] widths = [.. Enumerable.Range(0, cells[0].Length).Select(column => cells.Max(line => TextWidth.Of(line[column])))];
        bool fits = page.Width is null || widths.Sum(width => width + Gap.Length) <= page.Width;
        foreach (string[] line in cells)
        {
            string numbers = string.Concat(line.Skip(1).Select((cell, i) => Gap + cell.PadLeft(widths[i + 1])));
            if (fits)
            {
                page.Line("  " + TextWidth.PadRight(line[0], widths[0]) + numbers);
            }
            else
            {
                page.Line("  " + line[0]);
                page.Line(" " + numbers);
            }
        }
    }

    private static UInt128 CountValues(IEnumerable<TensorInfo> tensors) =>
        tensors.Aggregate(UInt128.Zero, (count, tensor) => count + ValuesOf(tensor));

    private static UInt128 ValuesOf(TensorInfo tensor)
    {
        _ = tensor.Shape.TryGetElementCount(out ulong values);
        return values;
    }
}
