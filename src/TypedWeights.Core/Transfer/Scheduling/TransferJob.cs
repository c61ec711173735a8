using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>One transfer as a value: what is read, from which files, and where it goes.</summary>
/// <param name="Plan">What is read.</param>
/// <param name="Files">The opened files that the plan was made for.</param>
/// <param name="Sink">Where it goes.</param>
/// <param name="Readers">How many ranges are read at the same time.</param>
internal sealed record TransferJob(TransferPlan Plan, IReadOnlyList<IWeightSource> Files, IWeightSink Sink, ReaderLimits Readers)
{
    /// <summary>Called when the sink has its memory, before the first byte is read.</summary>
    public Action? Allocated { get; init; }

    /// <summary>Called with the progress, at most ten times per second and at the end.</summary>
    public Action<LoadProgress>? Progress { get; init; }

    /// <summary>Notified of complete tensors, in this order.</summary>
    public IReadOnlyList<ITensorObserver> Observers { get; init; } = [];
}

/// <summary>Observes the tensors of one job as they become complete. The job disposes it before it returns.</summary>
internal interface ITensorObserver : IAsyncDisposable
{
    /// <summary>
    /// Called once for each tensor, from any thread, when all its bytes have been committed to the sink, or when none are read. An
    /// exception fails the job.
    /// </summary>
    void OnComplete(int tensor);

    /// <summary>Called after every tensor is complete. Returns when nothing is left to do. An exception fails the job.</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>The one entry that runs a job: loads, downloads, digests and measurements all use it.</summary>
internal static class TransferRunner
{
    /// <summary>
    /// Allocates the sink and reads the plan's ranges with several readers at once. It returns, with a result or an error, only when every
    /// reader and observer has returned: from then on nothing writes to the sink's memory, and nothing waits for one of its tensors.
    /// </summary>
    /// <param name="job">What to read.</param>
    /// <param name="context">The context of the load.</param>
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
