using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench.Files;

/// <summary>
/// One file from the page cache, against the code that a .NET user writes without the library. This is a separate section because two
/// gigabytes of arrays keep the garbage collector and the system busy long after they are dropped.
/// </summary>
internal static class NaiveSection
{
    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        Case arena = FileCases.Case(nameof(TensorStorage.Arena), measurement.ModelPath);
        Case[] naive =
        [
            FileCases.Case(FileCases.AllBytes, measurement.ModelPath), FileCases.Case(FileCases.StreamPerTensor, measurement.ModelPath),
        ];
        await Interleaved.RunAsync([arena, .. naive], measurement.Rounds, measurement.Length);
        List<Figure> rows =
        [
            .. naive.Select(item =>
                Figure.Speed("against plain .NET code: speed", arena.Measured, item.Measured, measurement.Length, 5)),
        ];
        if (!OperatingSystem.IsLinux())
        {
            return [.. rows, FreshProcess.NoPeak("against plain .NET code")];
        }

        List<(string Name, double MiB)> theirs = await PeaksAsync(naive.Select(static item => item.Name), measurement.ModelPath);
        List<(string Name, double MiB)> ours = await PeaksAsync(
            [nameof(TensorStorage.Arena), nameof(TensorStorage.Mapped)], measurement.ModelPath);
        rows.AddRange(ours.SelectMany(_ => theirs, Peak));
        return rows;
    }

    private static Figure Peak((string Name, double MiB) ours, (string Name, double MiB) theirs)
    {
        double ratio = ours.MiB / theirs.MiB;
        return new Figure(
            $"against plain .NET code: peak above idle, {ours.Name}",
            Text.Of($"{ours.MiB:F0} MiB"),
            Text.Of($"{theirs.Name}: {theirs.MiB:F0} MiB"),
            Text.Of($"{ratio:F3} ×"),
            "≤ 0.5 ×",
            ratio <= 0.5);
    }

    private static async Task<List<(string Name, double MiB)>> PeaksAsync(IEnumerable<string> names, string path)
    {
        var peaks = new List<(string Name, double MiB)>();
        foreach (string name in names)
        {
            peaks.Add((name, (await FreshProcess.LoadAsync(name, path)).PeakMiB));
        }

        return peaks;
    }
}
