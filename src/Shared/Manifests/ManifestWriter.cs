using System.Globalization;
using System.Text;
using TypedWeights.Snapshots;

namespace TypedWeights.Manifests;

/// <summary>Writes the text that a generated class carries: names, dtypes, shapes and the layout of a snapshot, as patterns.</summary>
internal static class ManifestWriter
{
    /// <param name="snapshot">A snapshot that holds against itself.</param>
    /// <param name="source">What may be shown of the source.</param>
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

        WriteLayout(text, snapshot, expanded, cancellationToken);
        return text.ToString();
    }

    // Returns the tensors in the order in which a reader will count them.
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

    private static void WriteLayout(
        StringBuilder text, WeightSnapshot snapshot, List<SnapshotTensor> expanded, CancellationToken cancellationToken)
    {
        int files = snapshot.Files.Count;
        var members = new List<int>[files];
        for (int i = 0; i < expanded.Count; i++)
        {
            (members[expanded[i].File] ??= []).Add(i);
        }

        for (int file = 0; file < files; file++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (members[file] is not { } ordinals)
            {
                if (snapshot.Files[file] is { } copies && copies.Length - 8 > copies.HeaderLength)
                {
                    Line(text, ManifestText.Layout, Number(file), Runs([], expanded, copies));
                }

                continue;
            }

            if (IsSorted(ordinals, expanded, snapshot.Files[file]))
            {
                Line(text, ManifestText.Layout, Number(file), ManifestText.Sorted, IndexRuns.Text(ordinals, ' '));
            }
            else
            {
                // An empty tensor begins where the next one does, and stands before it.
                List<int> byData = [.. ordinals.OrderBy(i => expanded[i].Begin).ThenBy(i => expanded[i].End).ThenBy(static i => i)];
                Line(text, ManifestText.Layout, Number(file), Runs(byData, expanded, snapshot.Files[file]));
            }
        }
    }

    // Bytes between two tensors are the copy of one that the index puts into another file: "+128".
    private static string Runs(List<int> byData, List<SnapshotTensor> expanded, SnapshotFile file)
    {
        var parts = new List<string>();
        var run = new List<int>();
        long end = 0;
        foreach (int i in byData)
        {
            Skip(expanded[i].Begin);
            run.Add(i);
            end = expanded[i].End;
        }

        Skip(file.Length - 8 - file.HeaderLength);
        if (run.Count > 0)
        {
            parts.Add(IndexRuns.Text(run, ' '));
        }

        return string.Join(" ", parts);

        void Skip(long to)
        {
            if (to > end)
            {
                if (run.Count > 0)
                {
                    parts.Add(IndexRuns.Text(run, ' '));
                }

                run.Clear();
                parts.Add("+" + Number(to - end));
                end = to;
            }
        }
    }

    private static bool IsSorted(List<int> ordinals, List<SnapshotTensor> expanded, SnapshotFile file)
    {
        long end = 0;
        foreach (SnapshotTensor tensor in ordinals.Select(i => expanded[i])
            .OrderByDescending(static tensor => tensor.DType)
            .ThenBy(static tensor => tensor.Name, StringComparer.Ordinal))
        {
            if (tensor.Begin != end)
            {
                return false;
            }

            end = tensor.End;
        }

        return end == file.Length - 8 - file.HeaderLength;
    }

    private static void Line(StringBuilder text, params string[] tokens) => text.Append(string.Join(" ", tokens)).Append('\n');

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
