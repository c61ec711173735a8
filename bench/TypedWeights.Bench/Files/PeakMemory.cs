using System.Globalization;
using TorchSharp;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Files;

/// <summary>The peak of resident memory of a load, in a process of its own (Linux).</summary>
internal static class PeakMemory
{
    /// <summary>Starts this program anew for one load.</summary>
    /// <returns>MiB after torch made and freed one tensor, and the peak.</returns>
    public static async Task<(double Before, double Peak)> OfAsync(string name, string source)
    {
        string[] numbers = (await ExternalProgram.RunAsync(Environment.ProcessPath!, "peak", name, source)).Trim().Split(' ');
        return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    public static async Task<int> ReportAsync(string name, string source)
    {
        TorchNative.EnsureLoaded();
        torch.empty(1).Dispose();
        long before = KiB("VmRSS");
        using IDisposable loaded = await FileCases.LoadAsync(name, source);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{before / 1024.0:F0} {KiB("VmHWM") / 1024.0:F0}"));
        return 0;
    }

    // "VmHWM:	  123456 kB"
    private static long KiB(string field) => long.Parse(
        File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith(field + ":", StringComparison.Ordinal))
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
