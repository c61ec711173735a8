using System.Globalization;
using TypedWeights.Files;

namespace TypedWeights.Transfer.Retry;

/// <summary>What went wrong with one read so far, and whether it is tried again.</summary>
internal sealed class Failures
{
    // A server that drops every connection after a few bytes is not followed for ever.
    private const int MostInAll = 10;

    private readonly Func<long> _position;
    private readonly long _start;
    private readonly List<(string Message, int Times)> _tried = [];
    private WeightSourceException? _first;
    private WeightSourceException? _counted;
    private WeightSourceException? _triedAtOnce;
    private long _lastPosition;
    private long _lastBytes;
    private long _lastAllBytes;
    private int _inARow;
    private bool _asksTooMuch;
    private bool _cameFurther;

    /// <param name="context">The load's.</param>
    /// <param name="first">The failure that began it: it counts as the first attempt.</param>
    /// <param name="start">The time when that attempt began.</param>
    /// <param name="bytes">How many bytes had come to all of the load's reads when that attempt began.</param>
    /// <param name="position">How far the read has come.</param>
    public Failures(TransferContext context, WeightSourceException first, long start, long bytes, Func<long> position)
    {
        Context = context;
        _position = position;
        _start = start;
        _first = first;
        _lastPosition = position();
        _lastBytes = bytes;
        _lastAllBytes = TransferContext.AllBytes;
    }

    /// <summary>The load's.</summary>
    public TransferContext Context { get; }

    /// <summary>How many attempts failed.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the last failure alone would not tell what happened.</summary>
    public bool IsWorthTelling => Count > 1 || _asksTooMuch;

    /// <summary>The failure that began a row, once.</summary>
    public WeightSourceException? TakeFirst() => Interlocked.Exchange(ref _first, null);

    /// <summary>Takes a failure, and tells whether the read is tried again in this row.</summary>
    public bool MayRetry(Exception? exception)
    {
        if (exception is not WeightSourceException failure)
        {
            return false;
        }

        if (!ReferenceEquals(failure, _counted))
        {
            Take(failure);
        }

        return !_cameFurther && MayGoOn(failure);
    }

    /// <summary>After a row: whether the read had come further when it failed, and a new row begins with that failure.</summary>
    public bool BeginAnew(WeightSourceException failure)
    {
        if (!_cameFurther || !MayGoOn(failure))
        {
            return false;
        }

        _cameFurther = false;
        _first = failure;
        _triedAtOnce = failure.IsEarly || failure.IsUnserved ? failure : null;
        return true;
    }

    /// <summary>Whether it is tried again without a wait: over another connection than the silent one, or when its turn has come.</summary>
    public bool IsTriedAtOnce(Exception? failure) => failure is not null && ReferenceEquals(failure, _triedAtOnce);

    private void Take(WeightSourceException failure)
    {
        _counted = failure;
        Count++;
        Remember(failure.Message);
        long position = _position(), bytes = Context.Bytes, allBytes = TransferContext.AllBytes;

        // A server that is asked for too much answers the load's other reads meanwhile; this one's turn comes when they are done.
        bool beginsAnew = position != _lastPosition || (failure.IsThrottled && bytes != _lastBytes);

        // So does one that serves few connections. Where this process has no descriptor left, any of its loads may have them. And what was
        // given up early has cost no time.
        bool isFree = failure.IsEarly
            || (failure.IsUnserved && bytes != _lastBytes)
            || (OpenFileLimit.IsReached(failure.GetBaseException()) && allBytes != _lastAllBytes);
        _cameFurther = beginsAnew || isFree;
        _inARow = (beginsAnew ? 0 : _inARow) + (isFree ? 0 : 1);
        (_lastPosition, _lastBytes, _lastAllBytes) = (position, bytes, allBytes);
        _asksTooMuch = failure.RetryAfter > RetryPolicy.LongestRetryAfter;
    }

    private bool MayGoOn(WeightSourceException failure)
    {
        int attempts = Context.Options.Attempts;
        return failure is { IsTransient: true, IsExhausted: false }
            && !_asksTooMuch
            && (_cameFurther || _inARow < attempts)
            && (failure.IsThrottled || (failure.IsUnserved && _cameFurther) || Count < (long)attempts * MostInAll);
    }

    /// <summary>The one error about all that was tried.</summary>
    public WeightSourceException GaveUp(WeightSourceException last)
    {
        string seconds = Context.Time.GetElapsedTime(_start).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
        string before = $"{last.SourceName}: ";
        IEnumerable<string> tried = _tried.Select(failure =>
            (failure.Times > 1 ? $"{failure.Times} × " : "")
                + (failure.Message.StartsWith(before, StringComparison.Ordinal) ? failure.Message[before.Length..] : failure.Message));
        string why = _asksTooMuch
            ? $"the server asks to be left alone for {last.RetryAfter!.Value.TotalSeconds:F0} s, which is longer than a load waits"
            : $"gave up after {Count} attempts in {seconds} s";
        return new WeightSourceException(
            last.SourceName, $"{why}: {string.Join(" | ", tried)}", innerException: last)
        {
            IsTransient = true,
            RetryAfter = last.RetryAfter,
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
