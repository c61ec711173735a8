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
