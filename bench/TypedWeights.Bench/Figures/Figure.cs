namespace TypedWeights.Bench.Figures;

/// <summary>One row of the table.</summary>
/// <param name="Work">The measured work.</param>
/// <param name="Measured">The result, with its unit.</param>
/// <param name="Against">The limit, or the peer and its result.</param>
/// <param name="Ratio">The ratio of the result to the limit or the peer; empty if there is neither.</param>
/// <param name="Wanted">The target of the ratio.</param>
/// <param name="Ok">Whether the target is reached; null for a skipped row.</param>
internal sealed record Figure(string Work, string Measured, string Against, string Ratio, string Wanted, bool? Ok)
{
    /// <summary>Compares two speeds for the same bytes: the ratio is above 1 if ours is faster.</summary>
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

    /// <summary>Compares an amount with its upper limit.</summary>
    public static Figure AtMost(string work, double measured, string unit, double limit, string limitName) => new(
        work,
        $"{Text.Of(measured)} {unit}",
        $"{limitName}: {Text.Of(limit)} {unit}",
        Times(measured / limit),
        "≤ 1 ×",
        measured <= limit);

    /// <summary>A row for work that could not be measured, with the reason.</summary>
    public static Figure Skipped(string work, string why) => new(work, "–", why, "", "", null);

    /// <summary>Gigabytes per second in the median round.</summary>
    public static string GigabytesPerSecond(Measured of, long bytes) => $"{Text.Of(bytes / 1e9 / of.Median)} GB/s";

    private static string Times(double ratio) => $"{Text.Of(ratio)} ×";
}
