namespace TypedWeights.Streaming.Limits;

/// <summary>How many ranges are read at once.</summary>
/// <param name="Min">What a load begins with.</param>
/// <param name="Max">What it may grow to.</param>
internal readonly record struct ReaderLimits(int Min, int Max)
{
    /// <summary>
    /// Reads of files wait for threads of the pool, which runs as many as there are cores while the page cache serves them, and more
    /// once they wait for a disk: asking for more than the cores can do costs nothing.
    /// </summary>
    public static ReaderLimits Local { get; } = new(8, 8);

    public static ReaderLimits For(TransferOptions options, bool isRemote) =>
        isRemote ? new ReaderLimits(options.MinConnections, options.MaxConnections) : Local;
}
