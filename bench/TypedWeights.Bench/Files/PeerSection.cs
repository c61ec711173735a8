using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench.Files;

/// <summary>
/// One file from the page cache against TorchSharp.PyBridge, and against the code that users write by hand. It has a process of its own
/// because arrays of two gigabytes keep the collector busy long after they were dropped.
/// </summary>
internal static class PeerSection
{
    private static readonly string[] Peers = [FileCases.PyBridge, FileCases.AllBytes];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        Case arena = FileCases.Case(nameof(TensorStorage.Arena), measurement.ModelPath);
        Case[] peers = [.. Peers.Select(name => FileCases.Case(name, measurement.ModelPath))];
        await Interleaved.RunAsync([arena, .. peers], measurement.Rounds, measurement.Length);
        IEnumerable<Figure> speeds =
            peers.Select(peer => Figure.Speed("file → new tensors, against peers", arena.Measured, peer.Measured, measurement.Length, 3));
        return [.. speeds, .. OperatingSystem.IsLinux() ? await PeaksAsync(measurement.ModelPath) : [FreshProcess.NoPeak("peers")]];
    }

    private static async Task<IEnumerable<Figure>> PeaksAsync(string path)
    {
        var peaks = new Dictionary<string, double>();
        foreach (string name in (string[])[nameof(TensorStorage.Arena), nameof(TensorStorage.Mapped), .. Peers])
        {
            peaks.Add(name, (await FreshProcess.LoadAsync(name, path)).PeakMiB);
        }

        // PyBridge writes into the tensors' own memory, as Arena does: neither can need less than the file.
        return
        [
            Peak(nameof(TensorStorage.Arena), FileCases.PyBridge, 1.05),
            Peak(nameof(TensorStorage.Arena), FileCases.AllBytes, 0.55),
            Peak(nameof(TensorStorage.Mapped), FileCases.PyBridge, 0.5),
        ];

        Figure Peak(string ours, string peer, double wanted)
        {
            double ratio = peaks[ours] / peaks[peer];
            return new Figure(
                $"file: peak memory above idle, {ours}",
                Text.Of($"{peaks[ours]:F0} MiB"),
                Text.Of($"{peer}: {peaks[peer]:F0} MiB"),
                Text.Of($"{ratio:F3} ×"),
                Text.Of($"≤ {wanted} ×"),
                ratio <= wanted);
        }
    }
}
