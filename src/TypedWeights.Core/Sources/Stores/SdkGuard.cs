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
/// The SDK's exception is not attached to the error: its text may quote files, responses and secrets. Its innermost sentence is in the
/// message.
/// </remarks>
/// <param name="context">The loader's clock and log.</param>
/// <param name="store">The store's name, for messages: <c>Amazon S3</c>.</param>
#pragma warning disable CA1001 // The semaphore holds something to dispose only when its wait handle is used.
public sealed partial class SdkGuard(StoreContext context, string store)
#pragma warning restore CA1001
{
    private const int LongestSentence = 400;
    private const int LongestFile = 1 << 20;

    // The engine repeats transient failures only for so long that all attempts together end within the limit. A call that comes this long
    // after the last one starts a new count.
    private static readonly TimeSpan LongestTrouble = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _renewing = new(1, 1);
    private readonly Lock _gate = new();
    private bool _isTroubled;
    private bool _isNoted;
    private long _since;
    private long _last;

    /// <summary>How long the SDK may take, all attempts together.</summary>
    /// <value>25 seconds</value>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(25);

    /// <summary>How long the SDK may take before the log says which setting the load waits for.</summary>
    /// <value>2 seconds</value>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(2);

    /// <summary>An exception and its causes, the innermost last; of an aggregate, its last exception.</summary>
    /// <param name="e">The exception.</param>
    public static IEnumerable<Exception> CausesOf(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = (cause as AggregateException)?.InnerExceptions[^1] ?? cause.InnerException)
        {
            yield return cause;
        }
    }

    /// <summary>Makes a call that returns at once: a constructor, a setting.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="call">What the call is for.</param>
    /// <param name="invoke">The call.</param>
    /// <returns>What the SDK returned.</returns>
    /// <exception cref="WeightSourceException">The SDK threw.</exception>
    public T Call<T>(SdkCall call, Func<T> invoke)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(invoke);
        try
        {
            ThrowIfOdd(call);
            return invoke();
        }
        catch (Exception e) when (IsForeign(e, call, CancellationToken.None))
        {
            throw Failure(call, e, isTransient: false, isExhausted: true);
        }
    }

    /// <summary>Makes a call that may take long.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="call">What the call is for.</param>
    /// <param name="invoke">The call. It may block: it runs on a thread of the pool. What it still does after the limit is not awaited.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What the SDK returned.</returns>
    /// <exception cref="WeightSourceException">The SDK threw, or did not return within <see cref="Limit"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<T> CallAsync<T>(
        SdkCall call, Func<CancellationToken, Task<T>> invoke, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(invoke);
        Task<T> running = Task.Run(
            () =>
            {
                ThrowIfOdd(call);
                return invoke(cancellationToken);
            },
            CancellationToken.None);
        TimeSpan left = Limit - BeginWait();
        using ITimer note = context.Time.CreateTimer(_ => NoteOnce(call), null, Patience, Timeout.InfiniteTimeSpan);
        try
        {
            T value = await running.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, context.Time, cancellationToken).ConfigureAwait(false);
            EndWait(goesOn: false);
            return value;
        }
        catch (TimeoutException) when (!running.IsFaulted)
        {
            EndWait(goesOn: false);
            throw new WeightSourceException(
                call.Display,
                $"{store} got no response for {Limit.TotalSeconds:0} s from {call.Setting}. Check that setting and the network, or turn it off.")
            {
                IsTransient = true,
                IsExhausted = true,
            };
        }
        catch (Exception e) when (IsForeign(e, call, cancellationToken))
        {
            bool isTransient = call.IsTransient?.Invoke(e) ?? IsOfNetwork(e);
            bool isExhausted = context.Time.GetElapsedTime(_since) >= LongestTrouble;
            EndWait(isTransient && !isExhausted);
            throw Failure(call, e, isTransient, isExhausted);
        }
        catch (OperationCanceledException)
        {
            // Cancelled by the caller, or by the engine, which then tries again.
            EndWait(goesOn: true);
            throw;
        }
    }

    /// <summary>
    /// Renews credentials that a server refused, one renewal at a time: many requests may be refused at once, and after the first renewal the
    /// others have nothing to do.
    /// </summary>
    /// <param name="renew">Renews the credentials unless they are other than those of the refused request. Returns whether they are now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What <paramref name="renew"/> returned.</returns>
    public async ValueTask<bool> RenewAsync(Func<ValueTask<bool>> renew, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(renew);
        await _renewing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await renew().ConfigureAwait(false);
        }
        finally
        {
            _renewing.Release();
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

    private void NoteOnce(SdkCall call)
    {
        if (!Interlocked.Exchange(ref _isNoted, true))
        {
            context.Note(call.Display, $"{store}: still waiting for {call.Setting} after {Patience.TotalSeconds:0} s.");
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

    // The innermost text that says something, with what is said around it if that repeats it: "Connection refused (host:443)" around
    // "Connection refused".
    private static string? Sentence(Exception e, IEnumerable<string> secrets)
    {
        string[] texts = [.. CausesOf(e).Where(IsTelling).Select(static cause => Spaces().Replace(cause.Message, " ").Trim())];
        string? sentence = secrets.Where(static secret => secret.Length > 0).Aggregate(
            texts.FirstOrDefault(text => text.Length <= texts[^1].Length + 64 && text.Contains(texts[^1], StringComparison.Ordinal)),
            static (text, secret) => text?.Replace(secret, "…", StringComparison.Ordinal));
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

    private static bool IsTelling(Exception e) => !string.IsNullOrWhiteSpace(e.Message)
        && e is not (AggregateException or TypeInitializationException)
        && !e.Message.StartsWith("Exception of type", StringComparison.Ordinal);

    private static bool IsOfNetwork(Exception e) => CausesOf(e).Any(static cause => cause switch
    {
        WeightSourceException known => known.IsTransient,
        HttpRequestException http => http.StatusCode is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
            or >= HttpStatusCode.InternalServerError,
        SocketException or TimeoutException or OperationCanceledException => true,
        _ => false,
    });

    // How long the wait has lasted: an attempt that the engine gives up and repeats waits on for the same result, and counts from the first one.
    private TimeSpan BeginWait()
    {
        lock (_gate)
        {
            if (!_isTroubled || context.Time.GetElapsedTime(_last) > LongestTrouble)
            {
                _since = _last = context.Time.GetTimestamp();
                _isNoted = false;
            }

            _isTroubled = true;
            return context.Time.GetElapsedTime(_since);
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
