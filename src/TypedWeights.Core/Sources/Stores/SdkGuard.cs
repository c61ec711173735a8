using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using TypedWeights.Files;

namespace TypedWeights.Sources.Stores;

/// <summary>
/// Calls a store's SDK. An SDK throws exceptions of many types, may block, and repeats what fails for minutes: behind this guard each
/// failure is a <see cref="WeightSourceException"/> that names the store, the setting and the file, a slow call is logged, and none
/// takes longer than <see cref="Limit"/>. Safe for use from many tasks at once.
/// </summary>
/// <remarks>
/// The SDK's exception is not attached to the error: its text may quote files, answers and secrets. Its innermost sentence is in the
/// message.
/// </remarks>
/// <param name="context">The loader's clock and log.</param>
/// <param name="store">The store's name, for messages: <c>Amazon S3</c>.</param>
public sealed partial class SdkGuard(StoreContext context, string store)
{
    private const int LongestSentence = 400;
    private const int LongestFile = 1 << 20;

    // Passing failures are repeated by the engine only for so long that all attempts together end within the limit.
    private static readonly TimeSpan LongestTrouble = TimeSpan.FromSeconds(10);

    // Who asks again only then begins a new count.
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private volatile bool _isTroubled;
    private bool _isNoted;
    private long _since;
    private long _last;

    /// <summary>How long the SDK may take, all attempts together.</summary>
    /// <value>25 seconds</value>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(25);

    /// <summary>How long the SDK may take before the log says what is waited for.</summary>
    /// <value>2 seconds</value>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Makes a call that returns at once: a constructor, a setting.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="call">What it is about.</param>
    /// <param name="ask">The call.</param>
    /// <returns>What the SDK gave.</returns>
    /// <exception cref="WeightSourceException">The SDK threw.</exception>
    public T Call<T>(SdkCall call, Func<T> ask)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(ask);
        try
        {
            ThrowIfOdd(call);
            return ask();
        }
        catch (Exception e) when (IsForeign(e, call, CancellationToken.None))
        {
            throw Failure(call, e, isTransient: false, isExhausted: true);
        }
    }

    /// <summary>Makes a call that may take its time.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="call">What it is about.</param>
    /// <param name="ask">The call. It may block: it has a thread of the pool. What it still does when the limit is over is not awaited.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What the SDK gave.</returns>
    /// <exception cref="WeightSourceException">The SDK threw, or did not answer within <see cref="Limit"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<T> CallAsync<T>(
        SdkCall call, Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(ask);
        try
        {
            Task<T> answer = Task.Run(
                () =>
                {
                    ThrowIfOdd(call);
                    return ask(cancellationToken);
                },
                CancellationToken.None);
            T value = await WaitAsync(call, answer, cancellationToken).ConfigureAwait(false);
            EndWait(goesOn: false);
            return value;
        }
        catch (Exception e) when (IsForeign(e, call, cancellationToken))
        {
            bool isTransient = call.IsTransient?.Invoke(e) ?? IsOfNetwork(e);
            bool isExhausted = Elapsed() >= LongestTrouble;
            EndWait(isTransient && !isExhausted);
            throw Failure(call, e, isTransient, isExhausted);
        }
        catch (OperationCanceledException)
        {
            // The caller's will, or the engine's, which then asks again.
            EndWait(goesOn: true);
            throw;
        }
    }

    private void ThrowIfOdd(SdkCall call)
    {
        foreach (SdkFile file in call.Files)
        {
            if (SmallFile.Refuse(file.Path) is { } reason)
            {
                string name = file.Origin is null ? file.Path : $"{file.Path} ({file.Origin})";
                throw new WeightSourceException(call.Display, $"{store} cannot use {name}: {reason}.");
            }
        }
    }

    private async ValueTask<T> WaitAsync<T>(SdkCall call, Task<T> answer, CancellationToken cancellationToken)
    {
        // An attempt that the engine gives up and repeats goes on waiting for the same answer: the time counts from the first one.
        BeginWait();
        TimeSpan left = Limit - Elapsed();
        try
        {
            if (left > Patience)
            {
                try
                {
                    return await answer.WaitAsync(Patience, context.Time, cancellationToken).ConfigureAwait(false);
                }
                catch (TimeoutException) when (!answer.IsFaulted)
                {
                    left -= Patience;
                    if (!Interlocked.Exchange(ref _isNoted, true))
                    {
                        context.Note(call.Display, $"{store}: still waiting for {call.Setting} after {Patience.TotalSeconds:0} s.");
                    }
                }
            }

            return await answer.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, context.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!answer.IsFaulted)
        {
            EndWait(goesOn: false);
            throw new WeightSourceException(
                call.Display,
                $"{store} got no answer for {Limit.TotalSeconds:0} s from {call.Setting}. Check that setting and the network, or turn it off.")
            {
                IsTransient = true,
                IsExhausted = true,
            };
        }
    }

    // All that the SDK throws, the end of one of its own time-outs included; not what the store itself says of this file.
    private static bool IsForeign(Exception e, SdkCall call, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        WeightSourceException known => known.SourceName != call.Display,
        OutOfMemoryException => false,
        _ => true,
    };

    private WeightSourceException Failure(SdkCall call, Exception e, bool isTransient, bool isExhausted)
    {
        string? advice = call.Explain?.Invoke(e);
        string? words = Sentence(e, [.. call.Secrets?.Invoke() ?? [], .. call.Files.SelectMany(static file => Words(file.Path))]);
        string said = words is null ? "" : $" The SDK says: {words}";
        return new WeightSourceException(
            call.Display,
            $"{store} cannot use {call.Setting}{(advice is null ? "." : ": " + advice.TrimEnd('.') + ".")}{said}")
        {
            IsTransient = isTransient,
            IsExhausted = isExhausted,
        };
    }

    // The innermost text that says something, with as much of what is said around it as repeats it: "Connection refused (host:443)" around
    // "Connection refused".
    private static string? Sentence(Exception e, IReadOnlyList<string> secrets)
    {
        string? sentence = null;
        foreach (Exception cause in Causes(e).Reverse())
        {
            string text = Spaces().Replace(cause.Message, " ").Trim();
            bool saysMore = sentence is null
                || (text.Length <= sentence.Length + 64 && text.Contains(sentence, StringComparison.Ordinal));
            if (saysMore && IsTelling(cause, text))
            {
                sentence = text;
            }
        }

        sentence = secrets.Where(static secret => secret.Length > 0)
            .Aggregate(sentence, static (text, secret) => text?.Replace(secret, "…", StringComparison.Ordinal));
        return sentence?.Length > LongestSentence ? sentence[..LongestSentence].TrimEnd() + "…" : sentence;
    }

    // The longest first, so that none is left of which another is a part.
    private static IEnumerable<string> Words(string path)
    {
        try
        {
            using var file = new FileStream(SmallFile.Open(path), FileAccess.Read);
            byte[] text = new byte[LongestFile];
            int length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return [.. Word().Matches(Encoding.UTF8.GetString(text, 0, length)).Select(static word => word.Value)
                .Distinct().OrderByDescending(static word => word.Length)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // What cannot be read here was not read by the SDK either.
            return [];
        }
    }

    private static IEnumerable<Exception> Causes(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = (cause as AggregateException)?.InnerExceptions[^1] ?? cause.InnerException)
        {
            yield return cause;
        }
    }

    private static bool IsTelling(Exception e, string text) => text.Length > 0
        && e is not (AggregateException or TypeInitializationException)
        && !text.StartsWith("Exception of type", StringComparison.Ordinal);

    private static bool IsOfNetwork(Exception e) => Causes(e).Any(static cause => cause switch
    {
        WeightSourceException known => known.IsTransient,
        HttpRequestException http => http.StatusCode is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
            or >= HttpStatusCode.InternalServerError,
        SocketException or TimeoutException or OperationCanceledException => true,
        _ => false,
    });

    private TimeSpan Elapsed()
    {
        lock (_gate)
        {
            return _isTroubled ? context.Time.GetElapsedTime(_since) : TimeSpan.Zero;
        }
    }

    // Begins to count the time of a trouble, or goes on counting that of the wait that ended just now.
    private void BeginWait()
    {
        lock (_gate)
        {
            if (!_isTroubled || context.Time.GetElapsedTime(_last) > Forgotten)
            {
                _since = context.Time.GetTimestamp();
                _last = _since;
                _isNoted = false;
            }

            _isTroubled = true;
        }
    }

    private void EndWait(bool goesOn)
    {
        lock (_gate)
        {
            _last = context.Time.GetTimestamp();
            _isTroubled = goesOn;
        }
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // Long, or not just a word.
    [GeneratedRegex(@"(?=\S*[0-9A-Z/+]|\S{20})[^\s""',:;=<>{}\[\]]{8,}")]
    private static partial Regex Word();
}
