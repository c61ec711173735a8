using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Http;

namespace TypedWeights.Bench.Caching;

/// <summary>
/// The local cache: what it costs to write a model to it while it loads, and how much faster it is the next time. Both ways are compared
/// with what they would be without a cache.
/// </summary>
internal static class CacheSection
{
    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        string url = measurement.Url!;
        string kept = Path.Combine(measurement.Folder, "cache");
        await LoadAsync(url, kept);
        var http = new Case("HTTP, no cache", () => HttpSection.LoadAsync(url));
        var first = new Case("HTTP, written to the cache", () => FirstAsync(url, Path.Combine(measurement.Folder, "fresh")));
        var later = new Case("from the cache", () => LoadAsync(url, kept));
        var file = new Case("file", () => HttpSection.LoadAsync(measurement.ModelPath));
        await Interleaved.RunAsync([http, first, later, file], measurement.Rounds, measurement.Length);
        return
        [
            Compared("HTTP → new tensors, written to the cache", first.Measured, http.Measured, measurement.Length),
            Compared("the cache → new tensors", later.Measured, file.Measured, measurement.Length),
        ];
    }

    private static async Task<Sample> FirstAsync(string url, string folder)
    {
        try
        {
            return await LoadAsync(url, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The clock stops when the tensors are there; what is still to be written is waited for without it.
    private static async Task<Sample> LoadAsync(string url, string folder)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().UseLocalCache(folder).Build();
        WeightSet? weights = null;
        Sample sample = await Sample.OfAsync(async () =>
        {
            weights = await loader.LoadTensorsAsync(url);
        });
        using (weights!)
        {
            return await weights!.Caching
                ? sample
                : throw new InvalidOperationException("the file did not get into the cache");
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
