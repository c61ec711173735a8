using TypedWeights.Bench.Caching;
using TypedWeights.Bench.Digests;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;
using TypedWeights.Bench.FirstLoad;
using TypedWeights.Bench.Http;
using TypedWeights.Bench.Micro;
using TypedWeights.Bench.Tiny;

namespace TypedWeights.Bench;

/// <summary>The parts of the table. Each is measured in a process of its own, so that none inherits another's memory and threads.</summary>
internal static class Sections
{
    public static IReadOnlyList<string> Names { get; } =
        ["file", "peers", "first", "cold", "http", "https", "paced", "s3", "cache", "tiny", "digests", "micro"];

    /// <summary>Measures one section in this process and leaves its rows where the parent looks for them.</summary>
    public static async Task<int> MeasureAsync(Measurement measurement)
    {
        string authority = Path.Combine(measurement.Folder, LocalAuthority.Certificate);
        IReadOnlyList<Figure> figures = measurement.Section switch
        {
            "file" => await FileSection.RunAsync(measurement),
            "peers" => await PeerSection.RunAsync(measurement),
            "first" => await FirstLoadSection.RunAsync(measurement),
            "cold" => await ColdSection.RunAsync(measurement),
            "http" => await HttpSection.RunAsync(measurement, cpuPerGigabyte: 0.55, authority: null),
            "https" => await HttpSection.RunAsync(measurement, cpuPerGigabyte: 1.5, authority),
            "paced" => await PacedSection.RunAsync(measurement),
            "s3" => await SignedSection.RunAsync(measurement),
            "cache" => await CacheSection.RunAsync(measurement),
            "tiny" => await TinySection.RunAsync(measurement),
            "digests" => await DigestSection.RunAsync(measurement),
            "micro" => MicroSection.Run(measurement),
            _ => throw new ArgumentException($"There is no section {measurement.Section}."),
        };
        FigureTable.Write(measurement.ResultPath, figures);
        return 0;
    }
}
