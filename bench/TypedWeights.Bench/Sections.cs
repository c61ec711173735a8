using TypedWeights.Bench.Caching;
using TypedWeights.Bench.Digests;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;
using TypedWeights.Bench.FirstLoad;
using TypedWeights.Bench.Http;
using TypedWeights.Bench.Micro;
using TypedWeights.Bench.Tiny;

namespace TypedWeights.Bench;

/// <summary>The sections of the table. Each runs in a separate process, so that none inherits another's memory and threads.</summary>
internal static class Sections
{
    public static IReadOnlyList<string> Names { get; } =
        ["file", "peers", "first", "cold", "http", "https", "paced", "s3", "cache", "tiny", "digests", "micro"];

    /// <summary>Measures one section in this process and writes its rows to the file that the parent reads.</summary>
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
