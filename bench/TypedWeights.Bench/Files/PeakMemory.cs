using System.Globalization;
using TorchSharp;

namespace TypedWeights.Bench.Files;

/// <summary>The peak of resident memory of a load, in a process of its own (Linux).</summary>
internal static class PeakMemory
{
    /// <summary>Starts this program anew for one load.</summary>
    /// <returns>MiB after torch made and freed one tensor, and the peak.</returns>
    public static (double Before, double Peak) Of(string name, string path)
    {
        string[] numbers = NativeReader.Run(Environment.ProcessPath!, "peak", name, path).Trim().Split(' ');
        return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    public static async Task<int> ReportAsync(string name, string path)
    {
        TorchNative.EnsureLoaded();
        torch.empty(1).Dispose();
        long before = KiB("VmRSS");
        using IDisposable loaded = await FileCases.LoadAsync(name, path);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{before / 1024.0:F0} {KiB("VmHWM") / 1024.0:F0}"));
        return 0;
    }

    private static long KiB(string field) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture);
}
