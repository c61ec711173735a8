using System.Diagnostics;
using System.Globalization;

namespace TypedWeights.Tool.Measuring;

/// <summary>What the process has used since it was asked first.</summary>
internal readonly struct ProcessFigures
{
    private readonly long _start;
    private readonly long _allocated;
    private readonly TimeSpan _processor;

    private ProcessFigures(long start, long allocated, TimeSpan processor)
    {
        _start = start;
        _allocated = allocated;
        _processor = processor;
    }

    /// <summary>The most memory of the process that was in main memory at a time, since it began.</summary>
    public static long PeakMemory
    {
        get
        {
            // Process.PeakWorkingSet64 is no peak on Linux.
            if (OperatingSystem.IsLinux())
            {
                const string Name = "VmHWM:";
                string? line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
                if (line is not null && long.TryParse(line.AsSpan(Name.Length).Trim(" \tkB"), CultureInfo.InvariantCulture, out long kilobytes))
                {
                    return kilobytes * 1024;
                }
            }

            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    public long Allocated => GC.GetTotalAllocatedBytes(precise: true) - _allocated;

    public TimeSpan Processor => ProcessorNow() - _processor;

    public static ProcessFigures Start() => new(Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true), ProcessorNow());

    private static TimeSpan ProcessorNow()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }
}
