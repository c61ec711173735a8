using System.Globalization;
using TypedWeights.Errors;
using TypedWeights.Snapshots;

namespace TypedWeights.Tool.Output;

/// <summary>A snapshot in half a line: <c>291 tensors, 14.5 GB in 2 files</c>.</summary>
internal static class SnapshotSummary
{
    public static string Of(WeightSnapshot snapshot) =>
        $"{Count(snapshot.Tensors.Count, "tensor")}, "
        + $"{ByteText.Of(snapshot.Files.Sum(file => file.Length))} in {Count(snapshot.Files.Count, "file")}";

    /// <summary>A number with its noun: <c>1 file</c>, <c>18,867 tensors</c>.</summary>
    public static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");
}
