using System.Buffers;
using TypedWeights.Sources;
using TypedWeights.Streaming.Limits;

namespace TypedWeights.Streaming;

/// <summary>
/// Reads the ranges of a plan with several readers at once. It returns, normally or with an error, only when every reader has
/// returned: from then on nothing writes to the sink's memory.
/// </summary>
internal static class RangeScheduler
{
    private const int ScratchSize = 64 << 10;

    /// <param name="plan">What to read.</param>
    /// <param name="sources">The opened files that the plan was made for.</param>
    /// <param name="sink">Where it goes; allocated.</param>
    /// <param name="readers">How many ranges are read at a time.</param>
    /// <param name="context">The loader's.</param>
    /// <param name="tracker">Is told of every byte that has landed.</param>
    /// <param name="cancellationToken">Ends all readers.</param>
    public static async Task RunAsync(
        TransferPlan plan,
        IReadOnlyList<IWeightSource> sources,
        IWeightSink sink,
        ReaderLimits readers,
        TransferContext context,
        ProgressTracker tracker,
        CancellationToken cancellationToken)
    {
        _ = context;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        int next = -1;

        async Task ReadRangesAsync()
        {
            try
            {
                while (Interlocked.Increment(ref next) is int index && index < plan.Ranges.Count)
                {
                    TransferRange range = plan.Ranges[index];
                    await ReadRangeAsync(sources[range.File], range, sink, tracker, stop.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
            {
                // Nobody here asked for it: a client's own time-out, say. It must not look like the caller's wish, or like an end.
                await stop.CancelAsync().ConfigureAwait(false);
                throw new WeightSourceException(
                    sources[plan.Ranges[Math.Min(next, plan.Ranges.Count - 1)].File].Display,
                    "a read was given up by its source.",
                    isTransient: true,
                    innerException: e);
            }
            catch
            {
                // The first failure ends the others; theirs are cancellations then.
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }

        // On pool threads: the caller's may be a user interface's.
        int count = Math.Min(readers.Min, plan.Ranges.Count);
        Task[] tasks = [.. Enumerable.Range(0, count).Select(_ => Task.Run(ReadRangesAsync, CancellationToken.None))];
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        Task? failed = tasks.FirstOrDefault(task => task.IsFaulted) ?? tasks.FirstOrDefault(task => !task.IsCompletedSuccessfully);
        if (failed is not null)
        {
            await failed.ConfigureAwait(false);
        }

        await sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task ReadRangeAsync(
        IWeightSource source, TransferRange range, IWeightSink sink, ProgressTracker tracker, CancellationToken cancellationToken)
    {
        IRangeReader reader = await source.OpenRangeAsync(range.Offset, range.Length, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            foreach (TransferSegment segment in range.Segments)
            {
                if (segment.IsGap)
                {
                    await DropAsync(reader, segment.Length, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                Memory<byte> memory = await sink.AcquireAsync(segment, cancellationToken).ConfigureAwait(false);
                for (int filled = 0; filled < memory.Length;)
                {
                    int read = await reader.ReadAsync(memory[filled..], cancellationToken).ConfigureAwait(false);
                    filled += read;
                    tracker.AddBytes(range.File, segment.Tensor, read);
                }

                await sink.CommitAsync(segment, memory, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task DropAsync(IRangeReader reader, long length, CancellationToken cancellationToken)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, ScratchSize));
        try
        {
            while (length > 0)
            {
                Memory<byte> memory = scratch.AsMemory(0, (int)Math.Min(length, scratch.Length));
                length -= await reader.ReadAsync(memory, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
