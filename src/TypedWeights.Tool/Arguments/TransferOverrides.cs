using System.CommandLine;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Tool.Arguments;

/// <summary>The options of a transfer on a command line. They also apply to files of this machine, which otherwise have other limits.</summary>
/// <param name="Gap">The largest gap that is read; null for the default of a load.</param>
/// <param name="Part">The largest size of a range; null for the default of a load.</param>
/// <param name="Connections">The number of ranges that are read at once; null for the default of a load.</param>
internal readonly record struct TransferOverrides(long? Gap, long? Part, int? Connections)
{
    public static readonly Option<long?> GapOption = ByteArgument.Option(
        "--gap", "The largest gap between two tensors that is read and dropped [default: 1MiB across a network]", 0, long.MaxValue);

    public static readonly Option<long?> PartOption = ByteArgument.Option(
        "--part", "The largest size of one request [default: 8MiB]", least: 64 << 10, most: 1 << 30);

    public static readonly Option<int?> ConnectionsOption = CountArgument.Option(
        "--connections", "The number of ranges to read at once, from start to end [default: as a load does]", 1, 1024);

    /// <summary>Reads them.</summary>
    public static TransferOverrides Of(ParseResult parsed) =>
        new(parsed.GetValue(GapOption), parsed.GetValue(PartOption), parsed.GetValue(ConnectionsOption));

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
