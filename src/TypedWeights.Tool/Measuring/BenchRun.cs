using TypedWeights.Checkpoints;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tool.Measuring;

/// <summary>Reads every tensor of a checkpoint into memory, the way a load does, and measures it.</summary>
internal static class BenchRun
{
    /// <param name="sources">The stores, with the options to measure.</param>
    /// <param name="uri">The checkpoint.</param>
    /// <param name="overrides">What the command line says of it.</param>
    /// <param name="view">Shows the progress.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<BenchResult> RunAsync(
        ToolSources sources, WeightUri uri, TransferOverrides overrides, ProgressView view, CancellationToken cancellationToken)
    {
        BenchResult? result = null;
        var figures = new TransferFigures("reading");
        await view.RunAsync(
            figures,
            async () => result = await ReadAsync(sources, uri, overrides, figures, cancellationToken).ConfigureAwait(false))
            .ConfigureAwait(false);
        return result!;
    }

    private static async Task<BenchResult> ReadAsync(
        ToolSources sources, WeightUri uri, TransferOverrides overrides, TransferFigures figures, CancellationToken cancellationToken)
    {
        TransferContext transfer = sources.Context;
        var used = ProcessFigures.Start();
        OpenedCheckpoint opened = await sources.OpenAsync(uri, cancellationToken).ConfigureAwait(false);
        await using (opened.ConfigureAwait(false))
        {
            bool isRemote = opened.Location.IsRemote;
            IReadOnlyList<CheckpointFile> files = opened.Checkpoint.Files;
            TransferPlan plan = TransferPlan.Create(files, [.. opened.Checkpoint.Tensors.Values], overrides.Parts(transfer.Options, isRemote));

            // What the container leaves, that is: the limit of a load's buffers is not what is measured.
            TransferOptions unbounded = transfer.Options with { BufferLimit = long.MaxValue };
            MemoryNeed.Of(plan, transfer.Options, isRemote).ThrowIfBeyond(uri.Display, unbounded, MemoryBound.Of(null), isRemote);
            var sink = new MemorySink();
            await using (sink.ConfigureAwait(false))
            {
                var job = new TransferJob(
                    plan, [.. files.Select(static file => file.Source)], sink, overrides.Readers(transfer.Options, isRemote))
                {
                    Progress = now => figures.Report(now.Bytes, now.BytesTotal),
                };
                await TransferRunner.RunAsync(job, transfer, cancellationToken).ConfigureAwait(false);
                return new BenchResult(
                    plan.TotalBytes,
                    used.Elapsed,
                    isRemote ? transfer.Requests : plan.Ranges.Count,
                    transfer.Retries,
                    ProcessFigures.PeakMemory,
                    used.Allocated,
                    used.Processor);
            }
        }
    }
}
