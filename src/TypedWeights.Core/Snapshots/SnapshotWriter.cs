using System.Text;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Writes <c>*.weights.json</c>: the same snapshot is always the same bytes. UTF-8 without a byte order mark, LF, files, tensors and
/// metadata in ordinal order, one file and one tensor a line, so that a merge shows what changed.
/// </summary>
internal static class SnapshotWriter
{
    /// <summary>Writes a snapshot, putting its files, tensors and metadata into their canonical order.</summary>
    /// <param name="snapshot">What to write.</param>
    /// <returns>The bytes of the file, which end with a line feed.</returns>
    public static byte[] Write(WeightSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        using var bytes = new MemoryStream();
        Write(snapshot, bytes);
        return bytes.ToArray();
    }

    /// <summary>Writes a snapshot to a stream: the text of a million tensors is never in memory.</summary>
    internal static void Write(WeightSnapshot snapshot, Stream to)
    {
        int[] order = [.. Enumerable.Range(0, snapshot.Files.Count).OrderBy(i => snapshot.Files[i].Name, StringComparer.Ordinal)];
        var places = new int[order.Length];
        for (int place = 0; place < order.Length; place++)
        {
            places[order[place]] = place;
        }

        using var json = new StreamWriter(to, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 14, leaveOpen: true);
        json.Write("{\n  \"schema\": ");
        json.WriteString(WeightSnapshot.Schema);
        json.Write(",\n  \"class\": ");
        json.WriteString(snapshot.Class);
        json.Write(",\n  \"source\": ");
        json.WriteString(snapshot.Source);
        json.Write(",\n  \"revision\": ");
        WriteNullable(json, snapshot.Revision);
        if (snapshot.Index is { } index)
        {
            json.Write(",\n  \"index\": {\"name\": ");
            json.WriteString(index.Name);
            json.Write(", \"version\": ");
            json.WriteString(index.Version);
            json.Write('}');
        }

        WriteLines(json, "files", order.Select(i => snapshot.Files[i]), WriteFile);
        IEnumerable<SnapshotTensor> tensors = snapshot.Tensors.OrderBy(static tensor => tensor.Name, StringComparer.Ordinal);
        WriteLines(json, "tensors", tensors, (to, tensor) => WriteTensor(to, tensor, places[tensor.File]));
        json.Write("\n}\n");
    }

    private static void WriteLines<T>(TextWriter json, string member, IEnumerable<T> items, Action<TextWriter, T> write)
    {
        json.Write($",\n  \"{member}\": [");
        string before = "\n    ";
        foreach (T item in items)
        {
            json.Write(before);
            write(json, item);
            before = ",\n    ";
        }

        json.Write(before[0] == ',' ? "\n  ]" : "]");
    }

    private static void WriteFile(TextWriter json, SnapshotFile file)
    {
        json.Write("{\"name\": ");
        json.WriteString(file.Name);
        WriteNumber(json, ", \"length\": ", file.Length);
        json.Write(", \"validator\": ");
        WriteNullable(json, file.Validator);
        if (file.Version is not null)
        {
            json.Write(", \"version\": ");
            json.WriteString(file.Version);
        }

        WriteNumber(json, ", \"headerLength\": ", file.HeaderLength);
        json.Write(", \"headerSha256\": ");
        json.WriteString(file.HeaderSha256);
        json.Write(", \"metadata\": {");
        string before = "";
        foreach ((string key, string value) in file.Metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            json.Write(before);
            json.WriteString(key);
            json.Write(": ");
            json.WriteString(value);
            before = ", ";
        }

        json.Write("}}");
    }

    private static void WriteTensor(TextWriter json, SnapshotTensor tensor, int file)
    {
        json.Write("{\"name\": ");
        json.WriteString(tensor.Name);
        json.Write(", \"dtype\": \"");
        json.Write(tensor.DType.Name());
        json.Write("\", \"shape\": ");
        json.WriteNumbers(tensor.Shape.Dimensions, ", ");
        WriteNumber(json, ", \"file\": ", file);
        WriteNumber(json, ", \"begin\": ", tensor.Begin);
        WriteNumber(json, ", \"end\": ", tensor.End);
        if (tensor.Sha256 is not null)
        {
            json.Write(", \"sha256\": ");
            json.WriteString(tensor.Sha256);
        }

        json.Write('}');
    }

    private static void WriteNumber(TextWriter json, string member, long number)
    {
        json.Write(member);
        json.WriteNumber((ulong)number);
    }

    private static void WriteNullable(TextWriter json, string? text)
    {
        if (text is null)
        {
            json.Write("null");
        }
        else
        {
            json.WriteString(text);
        }
    }
}
