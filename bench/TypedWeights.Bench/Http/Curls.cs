using System.Diagnostics;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Http;

/// <summary>Four <c>curl</c> processes at the same time, each of which reads a quarter of the file and discards it.</summary>
internal static class Curls
{
    private const int Count = 4;

    /// <returns>The seconds from the start of the first process to the end of the last.</returns>
    public static async Task<Sample> RunAsync(string curl, string url, long length, string? authority)
    {
        string[] trust = authority is null ? [] : ["--cacert", authority];
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => ExternalProgram.RunAsync(
            curl, [.. trust, "--silent", "--show-error", "--fail", "--output", "/dev/null", "--range", Quarter(length, i), url])));
        return new Sample(watch.Elapsed.TotalSeconds);
    }

    private static string Quarter(long length, int i) => Text.Of($"{length * i / Count}-{(length * (i + 1) / Count) - 1}");
}
