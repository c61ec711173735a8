using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Http;

namespace TypedWeights.Bench.Caching;

/// <summary>
/// The local cache: the cost of writing a model to it while the model loads, and the speed of the next load. Both are compared with loads
/// without a cache.
/// </summary>
internal static class CacheSection
{
    private const int MostLoads = 20;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        string url = measurement.Url!;
        string kept = Path.Combine(measurement.Folder, "cache");
        await FillAsync(url, kept);
        var http = new Case("HTTP, no cache", () => HttpSection.LoadAsync(url));
        var first = new Case("HTTP, written to the cache", () => FirstAsync(url, Path.Combine(measurement.Folder, "fresh")));
        var later = new Case("from the cache", async () => (await LoadAsync(url, kept)).Sample);
        var file = new Case("file", () => HttpSection.LoadAsync(measurement.ModelPath));
        await Interleaved.RunAsync([http, first, later, file], measurement.Rounds, measurement.Length);
        return
        [
            Compared("HTTP → new tensors, written to the cache", first.Measured, http.Measured, measurement.Length),
            Compared("cache → new tensors", later.Measured, file.Measured, measurement.Length),
        ];
    }

    // A loopback is faster than a disk. Bytes that the disk is too slow for are not cached, and the next load requests them.
    private static async Task FillAsync(string url, string folder)
    {
        for (int load = 1; !(await LoadAsync(url, folder)).IsWhole; load++)
        {
            if (load == MostLoads)
            {
                throw new InvalidOperationException($"the file is not whole in the cache after {load} loads");
            }
        }
    }

    private static async Task<Sample> FirstAsync(string url, string folder)
    {
        try
        {
            return (await LoadAsync(url, folder)).Sample;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The clock stops when the tensors are ready. The wait for the rest of the writing is not measured.
    private static async Task<(Sample Sample, bool IsWhole)> LoadAsync(string url, string folder)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().UseLocalCache(folder).Build();
        WeightSet? weights = null;
        Sample sample = await Sample.OfAsync(async () =>
        {
            weights = await loader.LoadTensorsAsync(url);
        });
        using (weights!)
        {
            return (sample, await weights!.Caching);
        }
    }

    private static Figure Compared(string work, Measured ours, Measured peer, long bytes) => new(
        work,
        Figure.GigabytesPerSecond(ours, bytes),
        $"{peer.Name}: {Figure.GigabytesPerSecond(peer, bytes)}",
        Text.Of($"{peer.Median / ours.Median:F2} ×"),
        "",
        true);
}
