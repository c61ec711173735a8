using System.Globalization;
using System.Text;
using TypedWeights.Errors;
using TypedWeights.Json;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tool.Inspection;

/// <summary>What <c>plan</c> prints of one checkpoint.</summary>
internal static class PlanReport
{
    public static void Print(Page page, OpenedCheckpoint opened, PlanSummary plan)
    {
        page.Line(opened.Checkpoint.Uri.Display, Page.Strong);
        int tensors = opened.Checkpoint.Tensors.Count;
        int files = opened.Checkpoint.Files.Count;
        page.Line(
            $"{Of(plan.Tensors, tensors)}{SnapshotSummary.Count(tensors, "tensor")}, {ByteText.Of(plan.Bytes)} of {ByteText.Of(plan.FileBytes)} in "
            + $"{Of(plan.Files, files)}{SnapshotSummary.Count(files, "file")}");
        bool isRemote = opened.Location.IsRemote;
        string ranges = plan.Ranges == 0 ? "" : $" of {ByteText.Of(plan.LargestRange)} at most";
        Row(page, isRemote ? "requests" : "reads", isRemote
            ? $"{Number(plan.Requests)}: {Number(plan.OpeningRequests)} to open, {Number(plan.TensorRequests)} for tensors{ranges}"
            : $"{Number(plan.Ranges)}{ranges}");
        Row(page, isRemote ? "connections" : "at once", plan.Readers.Min == plan.Readers.Max
            ? Number(plan.Readers.Max)
            : $"{Number(plan.Readers.Min)} to {Number(plan.Readers.Max)}");
        if (plan.GapBytes > 0)
        {
            Row(page, "gaps", $"{ByteText.Of(plan.GapBytes)} between the tensors, read and dropped to save requests");
        }

        MemoryNeed memory = plan.Memory;
        Row(
            page,
            "host memory",
            $"{ByteText.Of(memory.HostBytes)}: tensors {ByteText.Of(memory.TensorBytes)}, buffers {ByteText.Of(memory.BufferBytes)}");
        Row(page, "device memory", memory.DeviceBytes == 0 ? "none" : ByteText.Of(memory.DeviceBytes));
    }

    /// <summary>One line of JSON. Scripts depend on the members and their order.</summary>
    public static string ToJson(string uri, PlanSummary plan)
    {
        StringBuilder json = new StringBuilder("{\"uri\":").AppendString(uri);
        foreach ((string name, long value) in Members(plan))
        {
            json.Append(CultureInfo.InvariantCulture, $",\"{name}\":{value}");
        }

        return json.Append('}').ToString();
    }

    private static (string Name, long Value)[] Members(PlanSummary plan) =>
    [
        ("requests", plan.Requests),
        ("openingRequests", plan.OpeningRequests),
        ("ranges", plan.Ranges),
        ("largestRange", plan.LargestRange),
        ("bytes", plan.Bytes),
        ("gapBytes", plan.GapBytes),
        ("fileBytes", plan.FileBytes),
        ("tensors", plan.Tensors),
        ("files", plan.Files),
        ("minConnections", plan.Readers.Min),
        ("maxConnections", plan.Readers.Max),
        ("tensorMemoryBytes", plan.Memory.TensorBytes),
        ("bufferBytes", plan.Memory.BufferBytes),
        ("peakHostBytes", plan.Memory.HostBytes),
        ("peakDeviceBytes", plan.Memory.DeviceBytes),
    ];

    private static void Row(Page page, string name, string text) => page.Line(("  " + name.PadRight(16), Page.Faint), (text, Page.Plain));

    // "3 of " before a number that is larger.
    private static string Of(int some, int all) => some == all ? "" : Number(some) + " of ";

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
