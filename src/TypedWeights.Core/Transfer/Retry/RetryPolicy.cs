using System.Runtime.CompilerServices;
using Polly;
using Polly.Retry;

namespace TypedWeights.Transfer.Retry;

/// <summary>
/// Repeats what failed for a passing reason, with jittered and growing waits or the wait that the server asked for, until its budget is
/// spent; then one error says what was tried.
/// </summary>
internal sealed class RetryPolicy
{
    /// <summary>Who asks for a longer wait than this is not waited for.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly ResiliencePropertyKey<Failures> FailuresKey = new("failures");

    private readonly TransferContext _context;
    private readonly ResiliencePipeline _pipeline;

    public RetryPolicy(TransferContext context)
    {
        _context = context;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = context.Time }.AddRetry(new RetryStrategyOptions
        {
            // How often is decided by Failures, which knows whether bytes have come in between.
            MaxRetryAttempts = int.MaxValue,
            Delay = context.Options.RetryDelay,
            MaxDelay = LongestDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = args => ValueTask.FromResult(FailuresOf(args.Context).MayRetry(args.Outcome.Exception)),
            DelayGenerator = args => ValueTask.FromResult(
                FailuresOf(args.Context).IsTriedAtOnce(args.Outcome.Exception) ? TimeSpan.Zero : WaitAskedFor(args.Outcome.Exception)),
            OnRetry = args =>
            {
                FailuresOf(args.Context).Context.CountRetry(
                    (WeightSourceException)args.Outcome.Exception!, args.AttemptNumber + 1, args.RetryDelay);
                return default;
            },
        }).Build();
    }

    private RetryPolicy(TransferContext context, ResiliencePipeline pipeline)
    {
        _context = context;
        _pipeline = pipeline;
    }

    /// <summary>The same policy for one of the loads that it is for: by the bytes and failures of that one alone.</summary>
    public RetryPolicy Of(TransferContext load) => new(load, _pipeline);

    /// <summary>Runs an attempt, of which there is nothing to resume, until it succeeds or the budget is spent.</summary>
    public ValueTask<T> RunAsync<TState, T>(
        Func<TState, CancellationToken, ValueTask<T>> attempt, TState state, CancellationToken cancellationToken) =>
        RunAsync(attempt, state, static _ => 0, cancellationToken);

    /// <summary>Runs an attempt until it succeeds or the budget is spent.</summary>
    /// <param name="attempt">One attempt.</param>
    /// <param name="state">What it is given.</param>
    /// <param name="position">How far the attempts have come together: one that fails further on than the last begins a new count.</param>
    /// <param name="cancellationToken">Ends the attempts and the waits.</param>
    /// <exception cref="WeightSourceException">The failure is no passing one, or the budget is spent.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> RunAsync<TState, T>(
        Func<TState, CancellationToken, ValueTask<T>> attempt, TState state, Func<TState, long> position, CancellationToken cancellationToken)
    {
        // Nearly every first attempt succeeds: what it takes to try again is made when one has not.
        long bytes = _context.Bytes;
        long start = _context.Time.GetTimestamp();
        WeightSourceException first;
        try
        {
            return await attempt(state, cancellationToken).ConfigureAwait(false);
        }
        catch (WeightSourceException e) when (e.IsTransient)
        {
            first = e;
        }

        Failures failures = FailuresAfter(first, start, bytes, state, position);
        while (true)
        {
            try
            {
                return await RunAsync(attempt, state, failures, cancellationToken).ConfigureAwait(false);
            }
            catch (WeightSourceException e) when (failures.BeginAnew(e))
            {
                // It came further, so the waits begin small again.
                if (e.IsUnserved)
                {
                    await _context.Turns.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            catch (WeightSourceException e) when (e.IsTransient && failures.IsWorthTelling)
            {
                throw failures.GaveUp(e);
            }
        }
    }

    private async ValueTask<T> RunAsync<TState, T>(
        Func<TState, CancellationToken, ValueTask<T>> attempt, TState state, Failures failures, CancellationToken cancellationToken)
    {
        ResilienceContext resilience = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        resilience.Properties.Set(FailuresKey, failures);
        try
        {
            return await _pipeline.ExecuteAsync(
                static (context, call) => FailuresOf(context).TakeFirst() is { } known
                    ? ValueTask.FromException<T>(known)
                    : call.attempt(call.state, context.CancellationToken),
                resilience,
                (attempt, state)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(resilience);
        }
    }

    // Apart, as whatever holds a variable for later is made at the beginning of the method that has it.
    private Failures FailuresAfter<TState>(
        WeightSourceException first, long start, long bytes, TState state, Func<TState, long> position) =>
        new(_context, first, start, bytes, () => position(state));

    // Who says "at once" is busy all the same, and gets the usual growing wait.
    private TimeSpan? WaitAskedFor(Exception? failure) =>
        failure is WeightSourceException { RetryAfter: { } wait } && wait > _context.Options.RetryDelay ? wait : null;

    private static Failures FailuresOf(ResilienceContext context) => context.Properties.GetValue(FailuresKey, null!);
}
