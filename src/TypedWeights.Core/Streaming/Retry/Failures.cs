using System.Globalization;

namespace TypedWeights.Streaming.Retry;

/// <summary>What went wrong with one read so far, and whether it is tried again.</summary>
internal sealed class Failures
{
    // A server that drops every connection after a few bytes is not followed for ever.
    private const int MostInAll = 10;

    private readonly TransferContext _context;
    private readonly long _start;
    private readonly List<(string Message, int Times)> _tried = [];
    private WeightSourceException? _first;
    private long _bytes;
    private int _withoutBytes;
    private bool _asksTooMuch;

    public Failures(TransferContext context, WeightSourceException first)
    {
        _context = context;
        _start = context.Time.GetTimestamp();
        _first = first;
        _bytes = context.Bytes;
    }

    /// <summary>How many attempts failed.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the last failure alone would not tell what happened.</summary>
    public bool IsWorthTelling => Count > 1 || _asksTooMuch;

    /// <summary>The failure that began it, once: it counts as the first attempt.</summary>
    public WeightSourceException? TakeFirst() => Interlocked.Exchange(ref _first, null);

    public bool MayRetry(Exception? exception)
    {
        if (exception is not WeightSourceException failure)
        {
            return false;
        }

        Count++;
        Remember(failure.Message);

        // A server that is asked for too much answers the others meanwhile; this one's turn comes when they are done.
        long bytes = _context.Bytes;
        _withoutBytes = failure.IsThrottled && bytes != _bytes ? 1 : _withoutBytes + 1;
        _bytes = bytes;
        _asksTooMuch = failure.RetryAfter > RetryPolicy.LongestRetryAfter;
        int attempts = _context.Options.Attempts;
        return failure.IsTransient
            && _withoutBytes < attempts
            && (failure.IsThrottled || Count < (long)attempts * MostInAll)
            && !_asksTooMuch;
    }

    /// <summary>The one error about all that was tried.</summary>
    public WeightSourceException GaveUp(WeightSourceException last)
    {
        string seconds = _context.Time.GetElapsedTime(_start).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
        string before = $"{last.Source}: ";
        IEnumerable<string> tried = _tried.Select(failure =>
            (failure.Times > 1 ? $"{failure.Times} × " : "")
                + (failure.Message.StartsWith(before, StringComparison.Ordinal) ? failure.Message[before.Length..] : failure.Message));
        string why = _asksTooMuch
            ? $"the server asks to be left alone for {last.RetryAfter!.Value.TotalSeconds:F0} s, which is longer than a load waits"
            : $"gave up after {Count} attempts in {seconds} s";
        return new WeightSourceException(
            last.Source, $"{why}: {string.Join(" | ", tried)}", isTransient: true, innerException: last, retryAfter: last.RetryAfter)
        {
            IsThrottled = last.IsThrottled,
        };
    }

    private void Remember(string message)
    {
        if (_tried.Count > 0 && _tried[^1].Message == message)
        {
            _tried[^1] = (message, _tried[^1].Times + 1);
        }
        else if (_tried.Count < 10)
        {
            _tried.Add((message, 1));
        }
    }
}
