using System.Numerics;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Downloads;

/// <summary>Fetches what a partial file is missing, by the engine that loads tensors.</summary>
internal static class FileDownload
{
    // What is written and noted down at one go: the end of the process costs at most this much of each connection. Of a small file, which
    // may be long on its way all the same, as many connections have less each.
    private const long LargestSegment = TransferPlan.FileSegmentSize;
    private const long SmallestSegment = 64 << 10;
    private const int UsualSegments = 256;

    /// <summary>Fetches it, and returns when the file is whole and on the disk.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="isRemote">Whether it is across a network.</param>
    /// <param name="file">The target; opened for the identity of the source.</param>
    /// <param name="context">The loader's or tool's.</param>
    /// <param name="report">Is called with the progress, at most ten times a second; what was there before does not count.</param>
    /// <param name="cancellationToken">Ends the download; complete parts are kept.</param>
    /// <exception cref="WeightSourceException">The source failed, or the file has changed.</exception>
    /// <exception cref="WeightsException">It cannot be written.</exception>
    public static async Task RunAsync(
        IWeightSource source,
        bool isRemote,
        PartialFile file,
        TransferContext context,
        Action<LoadProgress> report,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<(long Offset, long Length)> missing = file.Missing;
        if (missing.Count == 0)
        {
            await file.FlushAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        // Existing parts are not read again, however small they are.
        PartLimits limits = PartLimits.For(context.Options, isRemote) with { GapSize = 0 };
        int segmentSize = SegmentSizeFor(source.Length);
        var plan = TransferPlan.OfFile(source.Length, limits, missing, segmentSize);
        var sink = new FileSink(file, context.Options.BufferLimit, segmentSize);
        await using (sink.ConfigureAwait(false))
        {
            var job = new TransferJob(plan, [source], sink, ReaderLimits.For(context.Options, isRemote)) { Progress = report };
            await TransferRunner.RunAsync(job, context, cancellationToken).ConfigureAwait(false);
        }
    }

    private static int SegmentSizeFor(long length) => (int)Math.Clamp(
        (long)BitOperations.RoundUpToPowerOf2((ulong)(length / UsualSegments)), SmallestSegment, LargestSegment);
}
