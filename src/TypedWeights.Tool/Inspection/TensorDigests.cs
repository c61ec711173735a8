using System.Security.Cryptography;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tool.Inspection;

/// <summary>SHA-256 of every tensor's bytes, read by the engine that loads tensors.</summary>
internal static class TensorDigests
{
    private static readonly string OfNothing = Convert.ToHexStringLower(SHA256.HashData([]));

    /// <param name="opened">The opened files.</param>
    /// <param name="context">The tool's.</param>
    /// <param name="progress">Is called with the progress.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Lower-case hexadecimal by tensor name.</returns>
    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(
        OpenedCheckpoint opened, TransferContext context, Action<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        bool isRemote = opened.Location.IsRemote;
        TransferPlan plan = TransferPlan.Create(
            opened.Checkpoint.Files,
            [.. opened.Checkpoint.Tensors.Values],
            PartLimits.For(context.Options, isRemote),
            segmentSize: TransferPlan.FileSegmentSize);
        await using var sink = new HashingSink();
        var job = new TransferJob(
            plan, [.. opened.Checkpoint.Files.Select(static file => file.Source)], sink, ReaderLimits.For(context.Options, isRemote))
        {
            Progress = progress,
        };
        await TransferRunner.RunAsync(job, context, cancellationToken);
        return plan.Tensors.Zip(sink.Digests)
            .ToDictionary(static pair => pair.First.Info.Name, static pair => pair.Second ?? OfNothing, StringComparer.Ordinal);
    }
}
