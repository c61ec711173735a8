namespace TypedWeights.Transfer.Limits;

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
