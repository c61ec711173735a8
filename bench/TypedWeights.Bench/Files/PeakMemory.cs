using System.Globalization;
using TorchSharp;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Files;

/// <summary>The peak of resident memory of a load, in a process of its own (Linux).</summary>
internal static class PeakMemory
{
    /// <summary>Starts this program anew for one load.</summary>
    /// <returns>MiB at the peak, above what there was after torch had made and freed one tensor.</returns>
    public static async Task<double> AboveIdleAsync(string name, string source)
    {
        string numbers = (await ExternalProgram.RunAsync(Environment.ProcessPath!, "peak", name, source)).Trim();
        double[] mebibytes = [.. numbers.Split(' ').Select(static number => double.Parse(number, CultureInfo.InvariantCulture))];
        Console.WriteLine(Text.Of($"peak memory of {name}: {mebibytes[1]:F0} MiB, {mebibytes[0]:F0} before it"));
        return mebibytes[1] - mebibytes[0];
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
