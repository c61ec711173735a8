using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Json;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Inspection;

/// <summary>One line of JSON for each input of <c>inspect --json</c>. Scripts depend on the members and their order.</summary>
internal static class JsonReport
{
    // Every piece is a system call if the output is the console.
    private const int LargestPiece = 1 << 14;

    /// <summary>Writes the line of a valid checkpoint, in pieces: it may have a million tensors.</summary>
    /// <param name="to">The output.</param>
    /// <param name="uri">The input as it may be shown.</param>
    /// <param name="opened">The checkpoint.</param>
    /// <param name="digests">SHA-256 by tensor name; null if they were not requested.</param>
    public static void Write(TextWriter to, string uri, OpenedCheckpoint opened, IReadOnlyDictionary<string, string>? digests)
    {
        using var json = new StringWriter();
        json.Write("{\"uri\":");
        json.WriteString(uri);
        json.Write(",\"ok\":true,\"metadata\":{");
        WriteAll(to, json, opened.Checkpoint.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal), static (json, pair) =>
        {
            json.WriteString(pair.Key);
            json.Write(':');
            json.WriteString(pair.Value);
        });
        json.Write("},\"tensors\":[");
        WriteAll(to, json, opened.InDataOrder, (json, item) => WriteTensor(json, item.Tensor, opened.IsSharded ? item.File : null, digests));
        json.Write("],\"warnings\":[");
        WriteAll(to, json, opened.Checkpoint.Warnings, static (json, warning) => json.WriteString(warning));
        json.Write("]}\n");
        to.Write(json.ToString());
    }

    /// <summary>The line of an input that is not a valid checkpoint or cannot be reached.</summary>
    public static string Error(string uri, ToolException error) => new StringBuilder("{\"uri\":").AppendString(uri)
        .Append(",\"ok\":false,\"error\":{\"kind\":").AppendString(error.Kind)
        .Append(",\"message\":").AppendString(error.Message).Append("}}\n").ToString();

    private static void WriteTensor(
        TextWriter json, TensorInfo tensor, CheckpointFile? file, IReadOnlyDictionary<string, string>? digests)
    {
        json.Write("{\"name\":");
        json.WriteString(tensor.Name);
        json.Write(",\"dtype\":\"");
        json.Write(tensor.DType.Name());
        json.Write("\",\"shape\":");
        json.WriteNumbers(tensor.Shape.Dimensions, ",");
        json.Write(",\"begin\":");
        json.WriteNumber((ulong)tensor.Begin);
        json.Write(",\"end\":");
        json.WriteNumber((ulong)tensor.End);
        if (file is not null)
        {
            json.Write(",\"file\":");
            json.WriteString(file.Name);
        }

        if (digests is not null)
        {
            json.Write(",\"sha256\":");
            json.WriteString(digests[tensor.Name]);
        }

        json.Write('}');
    }

    private static void WriteAll<T>(TextWriter to, StringWriter json, IEnumerable<T> items, Action<TextWriter, T> write)
    {
        bool first = true;
        foreach (T item in items)
        {
            if (!first)
            {
                json.Write(',');
            }

            write(json, item);
            first = false;
            if (json.GetStringBuilder().Length >= LargestPiece)
            {
                to.Write(json.ToString());
                json.GetStringBuilder().Clear();
            }
        }
    }
}
