using System.Diagnostics;

namespace TypedWeights.Bench;

/// <summary>What one round took. Processor time and garbage are those of this process; another program's are 0.</summary>
internal readonly record struct Sample(double Seconds, double Cpu = 0, long Garbage = 0)
{
    /// <summary>Measures an action; what it returns is disposed when the clock has stopped.</summary>
    public static async Task<Sample> OfAsync(Func<Task<IDisposable?>> action)
    {
        long garbage = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        using IDisposable? made = await action();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new Sample(seconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, GC.GetTotalAllocatedBytes(precise: true) - garbage);
    }

    /// <summary>The same for an action that leaves nothing behind.</summary>
    public static Task<Sample> OfAsync(Func<Task> action) => OfAsync(async () =>
    {
        await action();
        return null;
    });
}
