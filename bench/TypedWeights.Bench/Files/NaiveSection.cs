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

        double[] theirs = [.. await PeaksAsync([.. naive.Select(static item => item.Name)], measurement.ModelPath)];
        string[] storages = [nameof(TensorStorage.Arena), nameof(TensorStorage.Mapped)];
        double[] ours = [.. await PeaksAsync(storages, measurement.ModelPath)];
        for (int i = 0; i < storages.Length * naive.Length; i++)
        {
            (int storage, int peer) = (i / naive.Length, i % naive.Length);
            double ratio = ours[storage] / theirs[peer];
            rows.Add(new Figure(
                $"beside what a .NET user writes: peak above idle, {storages[storage]}",
                Text.Of($"{ours[storage]:F0} MiB"),
                Text.Of($"{naive[peer].Name}: {theirs[peer]:F0} MiB"),
                Text.Of($"{ratio:F3} ×"),
                "≤ 0.5 ×",
                ratio <= 0.5));
        }

        return rows;
    }

    private static async Task<List<double>> PeaksAsync(IEnumerable<string> names, string path)
    {
        var peaks = new List<double>();
        foreach (string name in names)
        {
            peaks.Add((await FreshProcess.LoadAsync(name, path)).PeakMiB);
        }

        return peaks;
    }
}
