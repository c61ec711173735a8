using System.Globalization;
using System.Runtime.CompilerServices;
using TypedWeights.Files;

namespace TypedWeights.Transfer.Retry;

/// <summary>
/// Repeats an attempt that failed for a transient reason until it succeeds or its attempts are spent; then one error lists what failed.
/// </summary>
internal static class RetryPolicy
{
    /// <summary>The longest wait of a server (<c>Retry-After</c>) that a load accepts.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    // A read ends after this many times the attempts of the options, even if the server sends a few bytes each time.
    private const int MostFactor = 10;

    /// <summary>Runs an attempt that starts from the beginning each time.</summary>
    public static ValueTask<T> RunAsync<T>(
        TransferContext context, Func<CancellationToken, ValueTask<T>> attempt, CancellationToken cancellationToken) =>
        RunAsync(context, attempt, static () => 0, cancellationToken);

    /// <summary>Runs an attempt that continues where the attempt before it stopped.</summary>
    /// <param name="context">The context of the load.</param>
    /// <param name="attempt">One attempt.</param>
    /// <param name="position">The position that the attempts have reached. The count starts again when it has changed.</param>
    /// <param name="cancellationToken">Ends the attempts and the waits.</param>
    /// <exception cref="WeightSourceException">The failure is not transient, or the attempts are spent.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<T> RunAsync<T>(
        TransferContext context, Func<CancellationToken, ValueTask<T>> attempt, Func<long> position, CancellationToken cancellationToken)
    {
        long start = context.Time.GetTimestamp(), bytes = context.Bytes;
        Failures? failures = null;
        while (true)
        {
            try
            {
                return await attempt(cancellationToken).ConfigureAwait(false);
            }
            catch (WeightSourceException e) when (e.IsTransient)
            {
                failures ??= new Failures(context, start, bytes, position());
                failures.Add(e, position());
                if (!failures.MayRetry)
                {
                    throw failures.IsWorthReporting ? failures.Summary() : e;
                }
            }

            if (failures.IsRetriedAtOnce && failures.Last.IsUnserved)
            {
                await context.Turns.WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            TimeSpan wait = failures.Wait();
            context.CountRetry(failures.Last, failures.Count, wait);
            await Task.Delay(wait, context.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The failures of one operation so far.</summary>
    /// <param name="context">The context of the load.</param>
    /// <param name="start">The time at which the first attempt started.</param>
    /// <param name="bytes">The bytes that the load had received at that time.</param>
    /// <param name="position">The position at the first failure.</param>
    private sealed class Failures(TransferContext context, long start, long bytes, long position)
    {
        private readonly List<(string Message, int Times)> _messages = [];
        private long _position = position;
        private long _bytes = bytes;
        private long _loaderBytes = context.LoaderBytes;
        private int _inARow;
        private int _waits;

        public WeightSourceException Last { get; private set; } = null!;

        public int Count { get; private set; }

        /// <summary>Whether the next attempt does not wait: it uses another connection than a stalled one, or its turn has come.</summary>
        public bool IsRetriedAtOnce { get; private set; }

        public bool MayRetry => !Last.IsExhausted
            && !WaitsTooLong
            && _inARow < context.Options.Attempts
            && (Last.IsThrottled || Count < (long)context.Options.Attempts * MostFactor);

        /// <summary>Whether the last failure alone does not explain what happened.</summary>
        public bool IsWorthReporting => Count > 1 || WaitsTooLong;

        private bool WaitsTooLong => Last.RetryAfter > LongestRetryAfter;

        public void Add(WeightSourceException failure, long position)
        {
            Last = failure;
            Count++;
            if (_messages.Count > 0 && _messages[^1].Message == failure.Message)
            {
                _messages[^1] = (failure.Message, _messages[^1].Times + 1);
            }
            else if (_messages.Count < 10)
            {
                _messages.Add((failure.Message, 1));
            }

            // A throttled read waits while the server responds to the other reads of the load.
            long bytes = context.Bytes, loaderBytes = context.LoaderBytes;
            bool hasAdvanced = position != _position || (failure.IsThrottled && bytes != _bytes);

            // No attempt is spent on a read that was ended early, nor while the server serves the load's other reads instead, nor while
            // other loads use the file descriptors of this process.
            bool isFree = failure.IsEarly
                || (failure.IsUnserved && bytes != _bytes)
                || (OpenFileLimit.IsReached(failure.GetBaseException()) && loaderBytes != _loaderBytes);
            (_position, _bytes, _loaderBytes) = (position, bytes, loaderBytes);
            _inARow = (hasAdvanced ? 0 : _inARow) + (isFree ? 0 : 1);
            _waits = hasAdvanced || isFree ? 0 : _waits;
            IsRetriedAtOnce = (hasAdvanced || isFree) && (failure.IsEarly || failure.IsUnserved);
        }

        // A server that requests no wait, or a shorter one, gets the usual growing wait. Half of it is random, so that the reads that
        // failed together do not all return together.
        public TimeSpan Wait()
        {
            double exponential = context.Options.RetryDelay.TotalSeconds * Math.Pow(2, _waits++);
            return IsRetriedAtOnce ? TimeSpan.Zero
                : Last.RetryAfter is { } requested && requested > context.Options.RetryDelay ? requested
                : TimeSpan.FromSeconds(Math.Min(exponential, LongestDelay.TotalSeconds) * (1 + Random.Shared.NextDouble()) / 2);
        }

        /// <summary>The one error that lists all failures.</summary>
        public WeightSourceException Summary()
        {
            string before = $"{Last.SourceName}: ";
            IEnumerable<string> messages = _messages.Select(failure =>
                (failure.Times > 1 ? $"{failure.Times} × " : "")
                    + (failure.Message.StartsWith(before, StringComparison.Ordinal) ? failure.Message[before.Length..] : failure.Message));
            string reason = WaitsTooLong
                ? $"the server requests a wait of {Last.RetryAfter!.Value.TotalSeconds:F0} s, and a load waits "
                    + $"{LongestRetryAfter.TotalSeconds:F0} s at most"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"gave up after {Count} attempts in {context.Time.GetElapsedTime(start).TotalSeconds:F1} s");
            return new WeightSourceException(Last.SourceName, $"{reason}: {string.Join(" | ", messages)}", innerException: Last)
            {
                IsTransient = true,
                RetryAfter = Last.RetryAfter,
                IsThrottled = Last.IsThrottled,
            };
        }
    }
}
