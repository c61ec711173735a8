using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;
using TypedWeights.Bench.Programs;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Bench.Http;

/// <summary>One file from nginx on the loopback. Each round starts without a connection.</summary>
internal static class HttpSection
{
    private const int BareTasks = 4;
    private const double MiB = 1 << 20;

    /// <param name="measurement">The measurement, with its URL.</param>
    /// <param name="cpuPerGigabyte">The most CPU seconds for a gigabyte.</param>
    /// <param name="authority">The path of the certificate that <c>curl</c> trusts; null without TLS.</param>
    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement, double cpuPerGigabyte, string? authority)
    {
        TorchNative.EnsureLoaded();
        string url = measurement.Url!;
        IReadOnlyList<TransferRange> ranges = await RangePlan.OfAsync(measurement.ModelPath);
        using var bare = new BareClient(ranges, measurement.Length);
        var ours = new Case("TypedWeights, new tensors", () => LoadAsync(url));
        await using var touched = new TouchedMemory(measurement.Length);
        var existing = new Case("TypedWeights, touched memory", () => Sample.OfAsync(() => touched.FillAsync(url)));
        var plain = new Case($"HttpClient × {BareTasks}, touched memory", () => Sample.OfAsync(() => bare.ReadAsync(url, BareTasks)));
        List<Case> cases = [ours, existing, plain];
        Case? curls = null;
        if (ExternalProgram.Find("curl") is { } curl)
        {
            curls = new Case("curl × 4, discarded", () => Curls.RunAsync(curl, url, measurement.Length, authority));
            cases.Add(curls);
        }

        await Interleaved.RunAsync(cases, measurement.Rounds, measurement.Length);
        string work = measurement.Section.ToUpperInvariant();
        double gigabytes = measurement.Length / 1e9;
        return
        [
            curls is null
                ? Figure.Skipped(work, ExternalProgram.Missing("curl"))
                : Figure.Speed($"{work} → existing memory", existing.Measured, curls.Measured, measurement.Length, 0.9),
            Figure.Speed($"{work} → existing memory", existing.Measured, plain.Measured, measurement.Length, 1),
            curls is null
                ? Figure.Skipped($"{work} → new tensors", ExternalProgram.Missing("curl"))
                : Figure.Speed($"{work} → new tensors", ours.Measured, curls.Measured, measurement.Length, 0.9),
            Figure.AtMost(
                $"{work}: CPU (HttpClient × {BareTasks}: {Text.Of(plain.Measured.Cpu / gigabytes * 1000)})",
                existing.Measured.Cpu / gigabytes * 1000,
                "ms/GB",
                cpuPerGigabyte * 1000,
                "limit"),
            Figure.AtMost($"{work}: garbage", ours.Measured.Garbage / MiB / gigabytes, "MiB/GB", 1, "limit"),
            OperatingSystem.IsLinux()
                ? (await FreshProcess.LoadAsync(nameof(TensorStorage.Arena), url)).Peak(work, measurement.Length)
                : FreshProcess.NoPeak(work),
        ];
    }

    /// <summary>One load with a new loader that has the default options.</summary>
    public static async Task<Sample> LoadAsync(string url)
    {
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        return await Sample.OfAsync(async () => await loader.LoadTensorsAsync(url));
    }
}
