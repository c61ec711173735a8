using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Reads the ranges of a plan with several readers at once. It returns, normally or with an error, only when every reader has
/// returned: from then on nothing writes to the sink's memory, and nobody waits for a tensor of it.
/// </summary>
internal static class RangeScheduler
{
    /// <param name="plan">What to read.</param>
    /// <param name="sources">The opened files that the plan was made for.</param>
    /// <param name="sink">Where it goes; allocated.</param>
    /// <param name="readers">How many ranges are read at a time.</param>
    /// <param name="context">The loader's.</param>
    /// <param name="tracker">Is told of every byte that has landed.</param>
    /// <param name="cancellationToken">Ends all readers.</param>
    /// <param name="landing">Is told of every segment that was committed; null where nobody wants to know before the end.</param>
    public static async Task RunAsync(
        TransferPlan plan,
        IReadOnlyList<IWeightSource> sources,
        IWeightSink sink,
        ReaderLimits readers,
        TransferContext context,
        ProgressTracker tracker,
        CancellationToken cancellationToken,
        Landing? landing = null)
    {
        bool isComplete = false;
        try
        {
            landing?.Start();
            using (var pool = new ReaderPool(plan, sources, sink, tracker, context, readers, landing, cancellationToken))
            {
                await pool.RunAsync(cancellationToken).ConfigureAwait(false);
            }

            await sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
            isComplete = true;
        }
        finally
        {
            await (landing?.FinishAsync(isComplete) ?? Task.CompletedTask).ConfigureAwait(false);
        }
    }
}
