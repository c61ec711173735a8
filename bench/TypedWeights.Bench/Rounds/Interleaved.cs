using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench;

/// <summary>
/// Runs every case once in each round, in a different order each time, and prints each result. The first round does not count.
/// </summary>
internal static class Interleaved
{
    /// <param name="cases">The compared ways.</param>
    /// <param name="rounds">How many rounds count.</param>
    /// <param name="bytes">How many bytes a case moves.</param>
    public static async Task RunAsync(IReadOnlyList<Case> cases, int rounds, long bytes)
    {
        // The discarded round compiles code, and touches memory that the machine may never have touched.
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < cases.Count; i++)
            {
                Case next = cases[(i + round) % cases.Count];
                FreshMemory.Settle(bytes);
                Sample sample = await next.Run();
                if (round > 0)
                {
                    next.Measured.Add(sample);
                }

                Print(round, next.Name, sample, bytes);
            }
        }
    }

    private static void Print(int round, string name, Sample sample, long bytes)
    {
        string own = sample.Cpu == 0 ? "" : Text.Of($"  {sample.Cpu * 1000,7:F0} ms CPU  {sample.Garbage / 1048576.0,7:F2} MiB allocated");
        string count = round == 0 ? "discarded" : Text.Of($"round {round,3}");
        Console.WriteLine(Text.Of($"{count}  {name,-38} {sample.Seconds * 1000,8:F1} ms  {bytes / 1e9 / sample.Seconds,7:F2} GB/s") + own);
    }
}
