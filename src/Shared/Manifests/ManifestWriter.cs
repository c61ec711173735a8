using System.Globalization;
using System.Text;
using TypedWeights.Snapshots;

namespace TypedWeights.Manifests;

/// <summary>Writes the text that a generated class carries: names, dtypes, shapes and the layout of a snapshot, as patterns.</summary>
internal static class ManifestWriter
{
    /// <param name="snapshot">A snapshot that <see cref="SnapshotCheck"/> has accepted.</param>
    /// <param name="source">The source as it may be shown.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static string Write(WeightSnapshot snapshot, string source, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        text.Append(ManifestText.Header).Append('\n');
        Line(text, ManifestText.Source, ManifestText.Escape(source));
        if (snapshot.Revision is not null)
        {
            Line(text, ManifestText.Revision, ManifestText.Escape(snapshot.Revision));
        }

        if (snapshot.Index is { } index)
        {
            Line(text, ManifestText.Index, ManifestText.Escape(index.Name), ManifestText.Escape(index.Version));
        }

        foreach (SnapshotFile file in snapshot.Files)
        {
            string validator = file.Validator is null ? ManifestText.None : ManifestText.Escape(file.Validator);
            string[] tokens = [ManifestText.File, Number(file.HeaderLength), Number(file.Length), validator, ManifestText.Escape(file.Name)];
            Line(text, file.Version is null ? tokens : [.. tokens, ManifestText.Escape(file.Version)]);
        }

        List<SnapshotTensor> expanded = WriteTensors(text, snapshot, cancellationToken);
        // In the order of the tensors, and only where the snapshot was taken with them: they are most of the text.
        if (expanded.Exists(static tensor => tensor.Sha256 is not null))
        {
            expanded.ForEach(tensor => Line(text, ManifestText.Digest, tensor.Sha256 ?? ManifestText.None));
        }

        foreach (KeyValuePair<string, string> tie in TiedNames.Of(snapshot))
        {
            Line(text, ManifestText.Tie, ManifestText.Escape(tie.Key), ManifestText.Escape(tie.Value));
        }

        WriteLayout(text, snapshot, expanded);
        return text.ToString();
    }

    // Returns the tensors in the order in which a reader counts them.
    private static List<SnapshotTensor> WriteTensors(StringBuilder text, WeightSnapshot snapshot, CancellationToken cancellationToken)
    {
        var expanded = new List<SnapshotTensor>(snapshot.Tensors.Count);
        var byName = snapshot.Tensors.ToDictionary(static tensor => tensor.Name, StringComparer.Ordinal);
        foreach (IGrouping<(DType DType, TensorShape Shape), SnapshotTensor> kind in snapshot.Tensors
            .OrderBy(static tensor => tensor.Name, StringComparer.Ordinal)
            .GroupBy(static tensor => (tensor.DType, tensor.Shape)))
        {
            string shape = kind.Key.Shape.ToString().Replace(" ", "");
            IEnumerable<string> names = kind.Select(static tensor => tensor.Name);
            foreach (NamePattern pattern in NamePattern.Factor(names, ManifestText.Escape, cancellationToken))
            {
                string written = pattern.ToString();
                Line(text, ManifestText.Tensor, kind.Key.DType.Name(), shape, written);
                expanded.AddRange(PatternExpansion.Names(written).Select(name => byName[name]));
            }
        }

        return expanded;
    }

    // Where a shard has bytes of no tensor (a copy of a tensor that the index puts into another shard), a load needs the live headers anyway.
    private static void WriteLayout(StringBuilder text, WeightSnapshot snapshot, List<SnapshotTensor> expanded)
    {
        if (snapshot.Files.Sum(static file => file.Length - 8 - file.HeaderLength) != expanded.Sum(static tensor => tensor.End - tensor.Begin))
        {
            return;
        }

        foreach (IGrouping<int, int> file in Enumerable.Range(0, expanded.Count).GroupBy(i => expanded[i].File).OrderBy(static file => file.Key))
        {
            // An empty tensor begins where the next one does, and comes before it.
            int[] byData = [.. file.OrderBy(i => expanded[i].Begin).ThenBy(i => expanded[i].End)];
            int[] asWritten = [.. file.OrderByDescending(i => expanded[i].DType).ThenBy(i => expanded[i].Name, StringComparer.Ordinal)];
            if (expanded[asWritten[0]].Begin == 0
                && asWritten.Zip(asWritten.Skip(1), (a, b) => expanded[a].End == expanded[b].Begin).All(static follows => follows))
            {
                Line(text, ManifestText.Layout, Number(file.Key), ManifestText.Sorted, NumberRuns.Text([.. file], ' '));
            }
            else
            {
                Line(text, ManifestText.Layout, Number(file.Key), NumberRuns.Text(byData, ' '));
            }
        }
    }

    private static void Line(StringBuilder text, params string[] tokens) => text.Append(string.Join(" ", tokens)).Append('\n');

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
