using System.CommandLine;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Tool.Arguments;

/// <summary>The options of a transfer on a command line. They also apply to files of this machine, which otherwise have other limits.</summary>
/// <param name="Gap">The most bytes of a gap that is read along; null for what a load does.</param>
/// <param name="Part">The most bytes of one range; null for what a load does.</param>
/// <param name="Connections">How many ranges are read at once, from the start to the end; null for what a load does.</param>
internal readonly record struct TransferOverrides(long? Gap, long? Part, int? Connections)
{
    public static readonly Option<long?> GapOption = ByteArgument.Option(
        "--gap", "The most bytes between two wanted tensors that are read along [default: 1MiB across a network]", 0, long.MaxValue);

    public static readonly Option<long?> PartOption = ByteArgument.Option(
        "--part", "The most bytes of one request [default: 8MiB]", least: 64 << 10, most: 1 << 30);

    public static readonly Option<int?> ConnectionsOption = CountArgument.Option(
        "--connections", "Read this many ranges at once, from the start to the end [default: as a load does]", 1, 1024);

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
