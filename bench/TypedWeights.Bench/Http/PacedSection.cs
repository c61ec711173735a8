using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;

namespace TypedWeights.Bench.Http;

/// <summary>A server that limits each connection to 20 MB/s: the speed depends on how many connections there are, and how soon.</summary>
internal static class PacedSection
{
    private const int Clients = 32;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        string url = measurement.Url!;
        using var bare = new BareClient(await RangePlan.OfAsync(measurement.ModelPath), measurement.Length);
        var ours = new Case("TypedWeights, new tensors", () => HttpSection.LoadAsync(url));
        await using var touched = new TouchedMemory(measurement.Length);
        var existing = new Case("TypedWeights, touched memory", () => Sample.OfAsync(() => touched.FillAsync(url)));
        var plain = new Case($"HttpClient × {Clients}, touched memory", () => Sample.OfAsync(() => bare.ReadAsync(url, Clients)));
        await Interleaved.RunAsync([ours, existing, plain], measurement.Rounds, measurement.Length);
        return
        [
            Figure.Speed("paced → existing memory", existing.Measured, plain.Measured, measurement.Length, 0.95),
            Figure.Speed("paced → new tensors", ours.Measured, plain.Measured, measurement.Length, 0.95),
        ];
    }
}
