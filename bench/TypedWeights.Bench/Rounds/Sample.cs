using System.Diagnostics;

namespace TypedWeights.Bench;

/// <summary>The time of one round, with the CPU time and the garbage of this process; both are 0 for another program.</summary>
internal readonly record struct Sample(double Seconds, double Cpu = 0, long Garbage = 0)
{
    /// <summary>Measures an action. Its result is disposed after the clock has stopped.</summary>
    public static async Task<Sample> OfAsync(Func<Task<IDisposable?>> action)
    {
        long garbage = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        using IDisposable? made = await action();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new Sample(seconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, GC.GetTotalAllocatedBytes(precise: true) - garbage);
    }

    /// <summary>Measures an action without a result.</summary>
    public static Task<Sample> OfAsync(Func<Task> action) => OfAsync(async () =>
    {
        await action();
        return null;
    });
}
