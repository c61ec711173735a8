using TypedWeights.Transfer.Limits;

namespace TypedWeights.Tool.Arguments;

/// <summary>What a command line says of a transfer. It counts for files of this machine too, which else have limits of their own.</summary>
/// <param name="Gap">The most bytes of a gap that is read along; null for what a load does.</param>
/// <param name="Part">The most bytes of one range; null for what a load does.</param>
/// <param name="Connections">How many ranges are read at once, from the start to the end; null for what a load does.</param>
internal readonly record struct TransferOverrides(long? Gap, long? Part, int? Connections)
{
    /// <summary>For transfers across a network.</summary>
    public TransferOptions Options
    {
        get
        {
            var defaults = new TransferOptions();
            return defaults with
            {
                GapSize = Gap ?? defaults.GapSize,
                PartSize = Part ?? defaults.PartSize,
                MinConnections = Connections ?? defaults.MinConnections,
                MaxConnections = Connections ?? defaults.MaxConnections,
            };
        }
    }

    /// <summary>How tensors become ranges.</summary>
    public PartLimits Parts(TransferOptions options, bool isRemote)
    {
        PartLimits limits = PartLimits.For(options, isRemote);
        return limits with { PartSize = Part ?? limits.PartSize, GapSize = Gap ?? limits.GapSize };
    }

    /// <summary>How many ranges are read at once.</summary>
    public ReaderLimits Readers(TransferOptions options, bool isRemote)
    {
        ReaderLimits limits = ReaderLimits.For(options, isRemote);
        return limits with { Min = Connections ?? limits.Min, Max = Connections ?? limits.Max };
    }
}
