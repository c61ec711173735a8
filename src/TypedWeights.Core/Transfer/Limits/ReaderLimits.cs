namespace TypedWeights.Transfer.Limits;

/// <summary>How many ranges are read at once.</summary>
/// <param name="Min">What a load begins with.</param>
/// <param name="Max">What it may grow to.</param>
/// <param name="IsTuned">Whether their number follows the rate, and stragglers are looked for.</param>
internal readonly record struct ReaderLimits(int Min, int Max, bool IsTuned)
{
    /// <summary>
    /// As many as there are cores, which copy what the page cache has, up to 8; 8 where reads wait for a disk
    /// (<see cref="Sources.IDiskSource"/>).
    /// </summary>
    public static ReaderLimits Local { get; } = new(Math.Min(Environment.ProcessorCount, 8), 8, false);

    /// <summary>The memory that hedged requests may hold together; a load that knows its plan gives what is left of its limits.</summary>
    public long SpareBytes { get; init; }

    public static ReaderLimits For(TransferOptions options, bool isRemote) => isRemote
        ? new ReaderLimits(options.MinConnections, options.MaxConnections, true) { SpareBytes = options.BufferLimit }
        : Local;
}
