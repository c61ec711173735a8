namespace TypedWeights.Transfer.Limits;

/// <summary>How tensors become ranges.</summary>
/// <param name="PartSize">The most bytes of one range.</param>
/// <param name="GapSize">The most bytes between two wanted ranges that are read and dropped.</param>
/// <param name="Readers">How many ranges are read at the same time. A small load is cut into that many ranges.</param>
internal readonly record struct PartLimits(long PartSize, long GapSize, int Readers)
{
    /// <summary>Local files: ranges of 8 MiB, without gaps, because another read costs nothing there.</summary>
    public static PartLimits Local { get; } = new(8L << 20, 0, 1);

    public static PartLimits For(TransferOptions options, bool isRemote) =>
        isRemote ? new PartLimits(options.PartSize, options.GapSize, options.MaxConnections) : Local;
}

/// <summary>How many ranges are read at the same time.</summary>
/// <param name="Min">The number at the start.</param>
/// <param name="Max">The largest number.</param>
/// <param name="IsTuned">Whether the number follows the speed of the load.</param>
internal readonly record struct ReaderLimits(int Min, int Max, bool IsTuned)
{
    /// <summary>
    /// Local files: one reader per core, 8 at most, to copy from the page cache; 8 when reads wait for a disk
    /// (<see cref="Sources.IDiskSource"/>).
    /// </summary>
    public static ReaderLimits Local { get; } = new(Math.Min(Environment.ProcessorCount, 8), 8, false);

    public static ReaderLimits For(TransferOptions options, bool isRemote) =>
        isRemote ? new ReaderLimits(options.MinConnections, options.MaxConnections, true) : Local;
}
