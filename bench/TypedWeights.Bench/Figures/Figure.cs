namespace TypedWeights.Bench.Figures;

/// <summary>One row of the table.</summary>
/// <param name="Work">What was done.</param>
/// <param name="Measured">What came out, with its unit.</param>
/// <param name="Against">The limit, or what it is compared with and what that took.</param>
/// <param name="Ratio">Measured to limit; empty where there is none.</param>
/// <param name="Wanted">The figure to reach.</param>
/// <param name="Ok">Whether it is reached; null for what was skipped.</param>
internal sealed record Figure(string Work, string Measured, string Against, string Ratio, string Wanted, bool? Ok)
{
    /// <summary>A speed against another one of the same bytes: the ratio is above 1 where ours is the faster.</summary>
    public static Figure Speed(string work, Measured ours, Measured peer, long bytes, double wanted)
    {
        double ratio = peer.Median / ours.Median;
        return new Figure(
            work,
            GigabytesPerSecond(ours, bytes),
            $"{peer.Name}: {GigabytesPerSecond(peer, bytes)}",
            Times(ratio),
            $"≥ {Text.Of(wanted)} ×",
            ratio >= wanted);
    }

    /// <summary>An amount that must not be above a limit.</summary>
    public static Figure AtMost(string work, double measured, string unit, double limit, string limitName) => new(
        work,
        $"{Text.Of(measured)} {unit}",
        $"{limitName}: {Text.Of(limit)} {unit}",
        Times(measured / limit),
        "≤ 1 ×",
        measured <= limit);

    /// <summary>What could not be measured, and why.</summary>
    public static Figure Skipped(string work, string why) => new(work, "–", why, "", "", null);

    /// <summary>Bytes a second of the median round.</summary>
    public static string GigabytesPerSecond(Measured of, long bytes) => $"{Text.Of(bytes / 1e9 / of.Median)} GB/s";

    private static string Times(double ratio) => $"{Text.Of(ratio)} ×";
}
