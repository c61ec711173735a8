using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench.Files;

/// <summary>
/// One file from the page cache against what a .NET user writes without the library. Apart from the other section: two gigabytes of arrays
/// keep the collector and the system at work for long after they have been dropped.
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
                Figure.Speed("beside what a .NET user writes: speed", arena.Measured, item.Measured, measurement.Length, 5)),
        ];
        if (!OperatingSystem.IsLinux())
        {
            return [.. rows, Figure.Skipped("peak memory", "read from /proc, which is Linux's")];
        }

        double ours = await PeakMemory.AboveIdleAsync(arena.Name, measurement.ModelPath);
        foreach (Case item in naive)
        {
            double theirs = await PeakMemory.AboveIdleAsync(item.Name, measurement.ModelPath);
            rows.Add(new Figure(
                "beside what a .NET user writes: peak above idle",
                Text.Of($"{ours:F0} MiB"),
                Text.Of($"{item.Name}: {theirs:F0} MiB"),
                Text.Of($"{ours / theirs:F3} ×"),
                "≤ 0.5 ×",
                ours / theirs <= 0.5));
        }

        return rows;
    }
}
