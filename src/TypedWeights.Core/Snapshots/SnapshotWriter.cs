using System.Globalization;
using System.Text;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Writes <c>*.weights.json</c>: the same snapshot is always the same bytes. UTF-8 without a byte order mark, LF, files, tensors and
/// metadata in ordinal order, one file and one tensor a line, so that a merge shows what changed.
/// </summary>
public static class SnapshotWriter
{
    /// <summary>Writes a snapshot, putting its files, tensors and metadata into their canonical order.</summary>
    /// <param name="snapshot">What to write.</param>
    /// <returns>The bytes of the file, which end with a line feed.</returns>
    public static byte[] Write(WeightSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        int[] order = [.. Enumerable.Range(0, snapshot.Files.Count).OrderBy(i => snapshot.Files[i].Name, StringComparer.Ordinal)];
        var places = new int[order.Length];
        for (int place = 0; place < order.Length; place++)
        {
            places[order[place]] = place;
        }

        StringBuilder json = new StringBuilder()
            .Append("{\n  \"schema\": ").AppendString(WeightSnapshot.Schema)
            .Append(",\n  \"class\": ").AppendString(snapshot.Class)
            .Append(",\n  \"source\": ").AppendString(snapshot.Source)
            .Append(",\n  \"revision\": ").AppendNullable(snapshot.Revision);
        if (snapshot.Index is { } index)
        {
            json.Append(",\n  \"index\": {\"name\": ").AppendString(index.Name)
                .Append(", \"version\": ").AppendString(index.Version).Append('}');
        }

        AppendLines(json, "files", order.Select(i => snapshot.Files[i]), AppendFile);
        AppendLines(json, "tensors", snapshot.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal),
            (to, tensor) => AppendTensor(to, tensor, places[tensor.File]));
        return Encoding.UTF8.GetBytes(json.Append("\n}\n").ToString());
    }

    private static void AppendLines<T>(StringBuilder json, string member, IEnumerable<T> items, Action<StringBuilder, T> append)
    {
        json.Append(CultureInfo.InvariantCulture, $",\n  \"{member}\": [");
        string before = "\n    ";
        foreach (T item in items)
        {
            append(json.Append(before), item);
            before = ",\n    ";
        }

        json.Append(before[0] == ',' ? "\n  ]" : "]");
    }

    private static void AppendFile(StringBuilder json, SnapshotFile file)
    {
        json.Append("{\"name\": ").AppendString(file.Name)
            .Append(CultureInfo.InvariantCulture, $", \"length\": {file.Length}, \"validator\": ").AppendNullable(file.Validator)
            .Append(file.Version is null ? "" : ", \"version\": ").AppendIfAny(file.Version)
            .Append(CultureInfo.InvariantCulture, $", \"headerLength\": {file.HeaderLength}, \"headerSha256\": ")
            .AppendString(file.HeaderSha256).Append(", \"metadata\": {");
        string before = "";
        foreach ((string key, string value) in file.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            json.Append(before).AppendString(key).Append(": ").AppendString(value);
            before = ", ";
        }

        json.Append("}}");
    }

    private static void AppendTensor(StringBuilder json, SnapshotTensor tensor, int file)
    {
        json.Append("{\"name\": ").AppendString(tensor.Name)
            .Append(CultureInfo.InvariantCulture, $", \"dtype\": \"{tensor.DType.Name()}\", \"shape\": {tensor.Shape}")
            .Append(CultureInfo.InvariantCulture, $", \"file\": {file}, \"begin\": {tensor.Begin}, \"end\": {tensor.End}");
        if (tensor.Sha256 is not null)
        {
            json.Append(", \"sha256\": ").AppendString(tensor.Sha256);
        }

        json.Append('}');
    }

    private static StringBuilder AppendIfAny(this StringBuilder json, string? text) => text is null ? json : json.AppendString(text);

    private static StringBuilder AppendNullable(this StringBuilder json, string? text) =>
        text is null ? json.Append("null") : json.AppendString(text);
}
