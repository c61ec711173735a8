namespace TypedWeights.Architecture.Tests;

/// <summary>
/// The folders of each project in the one order in which they may use each other: a folder uses those before it. This list is the rule;
/// docs/architecture.md shows the same one.
/// </summary>
internal static class Layers
{
    public static readonly IReadOnlyDictionary<string, string[]> Of = new Dictionary<string, string[]>
    {
        ["TypedWeights.Core"] =
        [
            "Errors", "Names", "Json", "Format", "Snapshots", "Manifests", "Placements",
            "Memory", "Files",
            "Sources", "Sources/File", "Sources/Given", "Sources/Http", "Sources/Stores", "Sources/Urls", "Sources/HuggingFace",
            "Checkpoints",
            "Transfer/Limits", "Transfer/Planning", "Transfer/Retry", "Transfer/Scheduling",
            "Downloads", "Caching", "Saving",
            "Opening",
        ],
        ["TypedWeights.TorchNative"] = ["Elf", "Native", "."],
        ["TypedWeights"] =
        [
            "Interop", "Interop/Cuda",
            "Options", "Saving", "Weights", "Binding",
            "Devices", "Devices/Cpu", "Devices/Placing", "Devices/Cuda", "Devices/Converting",
            "Loading", ".",
        ],
        ["TypedWeights.S3"] = ["."],
        ["TypedWeights.Gcs"] = ["."],
        ["TypedWeights.AzureBlobs"] = ["."],
        ["TypedWeights.Tool"] =
        [
            "Running", "Output", "Output/Progress", "Arguments",
            "Inspection", "Downloads", "Snapshots", "Caching", "Measuring",
            "Commands", ".",
        ],
        ["TypedWeights.Generators"] = ["Naming", "Model", "Diagnostics", "Parsing", "Tree", "Emit", "."],
    };

    /// <summary>The list as docs/architecture.md shows it.</summary>
    public static string Text => string.Join("\n", Of.Select(static project => $"{project.Key}: {string.Join(" ← ", project.Value)}"));
}
