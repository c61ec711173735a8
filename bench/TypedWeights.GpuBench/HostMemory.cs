using System.Globalization;

namespace TypedWeights.GpuBench;

/// <summary>The memory of this process as Linux counts it.</summary>
internal static class HostMemory
{
    public static long Now => Field("VmRSS:");

    public static long Peak => Field("VmHWM:");

    /// <summary>Resets the peak.</summary>
    public static void ForgetPeak()
    {
        if (File.Exists("/proc/self/clear_refs"))
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }

    private static long Field(string name) => File.Exists("/proc/self/status")
        ? File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(static line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024)
            .FirstOrDefault()
        : 0;
}
