using TypedWeights.Transfer.Retry;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>The one entry that runs a transfer: loads, downloads, digests and measurements all come here.</summary>
internal static class TransferRunner
{
    /// <summary>
    /// Allocates the sink and reads the plan's ranges with several readers at once. It returns, normally or with an error, only when every
    /// reader and observer has returned: from then on nothing writes to the sink's memory, and nobody waits for a tensor of it.
    /// </summary>
    /// <param name="job">What to read.</param>
    /// <param name="context">The loader's.</param>
    /// <param name="cancellationToken">Ends all readers.</param>
    /// <returns>The last progress.</returns>
    public static async Task<LoadProgress> RunAsync(TransferJob job, TransferContext context, CancellationToken cancellationToken)
    {
        try
        {
            job.Sink.Allocate(job.Plan);
            job.Allocated?.Invoke();
            var countdown = new TensorCountdown(job.Plan);
            var progress = new ProgressTracker(job.Plan, countdown, job.Progress, context.Time);
            foreach (ITensorObserver observer in job.Observers)
            {
                countdown.Completed += observer.OnComplete;
            }

            countdown.Start();
            using (var pool = new ReaderPool(job, countdown, progress, context, cancellationToken))
            {
                await pool.RunAsync(cancellationToken).ConfigureAwait(false);
            }

            await job.Sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
            foreach (ITensorObserver observer in job.Observers)
            {
                await observer.CompleteAsync(cancellationToken).ConfigureAwait(false);
            }

            return progress.Finish();
        }
        finally
        {
            foreach (ITensorObserver observer in job.Observers)
            {
                await observer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
