using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Files;

/// <summary>One load in a separate process (Linux): the peak of its resident memory, and its time including all compilation.</summary>
/// <param name="PeakMiB">MiB at the peak, minus the resident memory after torch has created and freed one tensor.</param>
/// <param name="Milliseconds">From the call to the tensors.</param>
internal readonly record struct FreshProcess(double PeakMiB, double Milliseconds)
{
    private const double MiB = 1 << 20;
    private const double BuffersMiB = 256;

    /// <summary>The row on other systems than Linux.</summary>
    public static Figure NoPeak(string work) => Figure.Skipped($"{work}: peak memory", "read from /proc, which exists only on Linux");

    /// <summary>Starts this program again for one load.</summary>
    public static async Task<FreshProcess> LoadAsync(string name, string source)
    {
        string numbers = (await ExternalProgram.RunAsync(Environment.ProcessPath!, "fresh", name, source)).Trim();
        double[] parts = [.. numbers.Split(' ').Select(static number => double.Parse(number, CultureInfo.InvariantCulture))];
        Console.WriteLine(Text.Of($"{name} in a fresh process: {parts[2]:F0} ms; peak memory {parts[1]:F0} MiB, {parts[0]:F0} before it"));
        return new FreshProcess(parts[1] - parts[0], parts[2]);
    }

    /// <summary>The row for the peak memory of a load of one file.</summary>
    public Figure Peak(string work, long fileLength) => Figure.AtMost(
        $"{work}: peak memory above idle", PeakMiB, "MiB", (fileLength / MiB) + BuffersMiB, "file + 256 MiB");

    /// <summary>The work of the separate process.</summary>
    public static async Task<int> ReportAsync(string name, string source)
    {
        TorchNative.EnsureLoaded();
        torch.empty(1).Dispose();
        long before = KiB("VmRSS");
        long start = Stopwatch.GetTimestamp();
        using IDisposable loaded = await FileCases.LoadAsync(name, source);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{before / 1024.0:F0} {KiB("VmHWM") / 1024.0:F0} {milliseconds:F0}"));
        return 0;
    }

    // "VmHWM:	  123456 kB"
    private static long KiB(string field) => long.Parse(
        File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith(field + ":", StringComparison.Ordinal))
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
