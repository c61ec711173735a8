using System.Globalization;
using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Json;

namespace TypedWeights.Tool.Inspection;

/// <summary>One line of JSON for each input of <c>inspect --json</c>. Scripts depend on the members and their order.</summary>
internal static class JsonReport
{
    /// <summary>The line of a valid checkpoint.</summary>
    /// <param name="uri">The input as it may be shown.</param>
    /// <param name="opened">The checkpoint.</param>
    /// <param name="digests">SHA-256 by tensor name, where asked for.</param>
    public static string Ok(string uri, OpenedCheckpoint opened, IReadOnlyDictionary<string, string>? digests)
    {
        StringBuilder json = new StringBuilder("{\"uri\":").AppendString(uri).Append(",\"ok\":true,\"metadata\":{");
        AppendAll(json, opened.Checkpoint.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            (to, pair) => to.AppendString(pair.Key).Append(':').AppendString(pair.Value));
        json.Append("},\"tensors\":[");
        AppendAll(json, opened.InDataOrder, (to, item) => AppendTensor(to, item.Tensor, opened.IsSharded ? item.File : null, digests));
        json.Append("],\"warnings\":[");
        AppendAll(json, opened.Checkpoint.Warnings, (to, warning) => to.AppendString(warning));
        return json.Append("]}\n").ToString();
    }

    /// <summary>The line of an input that is not a valid checkpoint or cannot be reached.</summary>
    public static string Error(string uri, ToolException error) => new StringBuilder("{\"uri\":").AppendString(uri)
        .Append(",\"ok\":false,\"error\":{\"kind\":").AppendString(error.Kind)
        .Append(",\"message\":").AppendString(error.Message).Append("}}\n").ToString();

    private static void AppendTensor(
        StringBuilder json, TensorInfo tensor, CheckpointFile? file, IReadOnlyDictionary<string, string>? digests)
    {
        string shape = tensor.Shape.ToString().Replace(" ", "", StringComparison.Ordinal);
        json.Append("{\"name\":").AppendString(tensor.Name)
            .Append(CultureInfo.InvariantCulture, $",\"dtype\":\"{tensor.DType.Name()}\",\"shape\":{shape}")
            .Append(CultureInfo.InvariantCulture, $",\"begin\":{tensor.Begin},\"end\":{tensor.End}");
        if (file is not null)
        {
            json.Append(",\"file\":").AppendString(file.Name);
        }

        if (digests is not null)
        {
            json.Append(",\"sha256\":").AppendString(digests[tensor.Name]);
        }

        json.Append('}');
    }

    private static void AppendAll<T>(StringBuilder json, IEnumerable<T> items, Action<StringBuilder, T> append)
    {
        bool first = true;
        foreach (T item in items)
        {
            append(first ? json : json.Append(','), item);
            first = false;
        }
    }
}
