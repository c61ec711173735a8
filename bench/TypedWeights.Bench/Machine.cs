using System.Runtime.InteropServices;
using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench;

/// <summary>The machine that the figures were measured on, and its load.</summary>
internal static class Machine
{
    public static void Print()
    {
        double gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9;
        Console.WriteLine(
            Text.Of($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}, ")
            + Text.Of($"{Processor()}{Environment.ProcessorCount} cores, {gigabytes:F0} GB, {RuntimeInformation.FrameworkDescription}{Load()}"));
    }

    private static string Processor() =>
        Field("/proc/cpuinfo", "model name") is { } model ? model + ", " : "";

    // On a quiet machine, the load average is near 0 at the start.
    private static string Load() =>
        File.Exists("/proc/loadavg") ? ", load average " + File.ReadAllText("/proc/loadavg").Split(' ')[0] : "";

    private static string? Field(string path, string name) => !File.Exists(path)
        ? null
        : File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':')[^1].Trim();
}
