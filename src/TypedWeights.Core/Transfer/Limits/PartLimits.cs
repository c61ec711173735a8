namespace TypedWeights.Transfer.Limits;

/// <summary>How tensors become ranges.</summary>
/// <param name="PartSize">The most bytes of one range.</param>
/// <param name="GapSize">The most unwanted bytes between two wanted ones that are read along.</param>
/// <param name="Readers">How many ranges will be read at once; a small load is cut into as many.</param>
internal readonly record struct PartLimits(long PartSize, long GapSize, int Readers)
{
    /// <summary>Files of this machine: 8 MiB at a time, and nothing that is not wanted, as a gap costs nothing there.</summary>
    public static PartLimits Local { get; } = new(8L << 20, 0, 1);

    public static PartLimits For(TransferOptions options, bool isRemote) =>
        isRemote ? new PartLimits(options.PartSize, options.GapSize, options.MaxConnections) : Local;
}
