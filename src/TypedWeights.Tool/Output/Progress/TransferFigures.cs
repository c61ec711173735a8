using System.Globalization;
using TypedWeights.Errors;

namespace TypedWeights.Tool.Output.Progress;

/// <summary>The progress and the rate of one step of a command. Safe for use from many tasks at once.</summary>
/// <param name="title">What is being done, in a few words.</param>
/// <param name="total">All bytes; 0 while the number is not known.</param>
/// <param name="already">Bytes from an earlier run: they count as done, but not for the rate.</param>
/// <param name="time">The clock.</param>
internal sealed class TransferFigures(string title, long total = 0, long already = 0, TimeProvider? time = null)
{
    // The rate is that of the last seconds: of a connection that has just become slow, the average since the start says little.
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly long _start = (time ?? TimeProvider.System).GetTimestamp();
    private readonly Queue<(TimeSpan At, long Done)> _samples = new([(TimeSpan.Zero, already)]);
    private TimeSpan _lastSample;
    private long _done = already;
    private long _total = total;

    /// <summary>Is called after every change.</summary>
    public Action? Changed { get; set; }

    public string Title => title;

    public long Done => Interlocked.Read(ref _done);

    public long Total => Interlocked.Read(ref _total);

    public TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>The rate of the last seconds; 0 at the start.</summary>
    public double BytesPerSecond
    {
        get
        {
            lock (_lock)
            {
                (TimeSpan at, long done) = _samples.Peek();
                double seconds = (Elapsed - at).TotalSeconds;
                return seconds > 0 ? (Done - done) / seconds : 0;
            }
        }
    }

    /// <summary>The remaining time at this rate; null if there is no rate yet.</summary>
    public TimeSpan? Left => BytesPerSecond is >= 1 and double rate && Total > 0
        ? TimeSpan.FromSeconds(Math.Min((Total - Done) / rate, TimeSpan.FromDays(99).TotalSeconds))
        : null;

    /// <summary><c>85.2 MB/s</c></summary>
    public string Rate => ByteText.OfRate(BytesPerSecond);

    /// <summary><c>1.23 GB of 14.5 GB, 85.2 MB/s, 2:36 left</c></summary>
    public string Text
    {
        get
        {
            string left = Left is { } time ? ", " + Clock(time) + " left" : "";
            return Total == 0 ? "…" : $"{ByteText.Of(Done)} of {ByteText.Of(Total)}, {Rate}{left}";
        }
    }

    /// <summary>From 0 to 100.</summary>
    public int Percent => Total == 0 ? 0 : (int)(100 * (Int128)Done / Total);

    /// <summary>Sets the bytes that are done and their total, those of an earlier run included.</summary>
    public void Report(long done, long total)
    {
        Interlocked.Exchange(ref _total, total);
        Interlocked.Exchange(ref _done, done);
        lock (_lock)
        {
            TimeSpan now = Elapsed;
            if (now - _lastSample >= Step)
            {
                _lastSample = now;
                _samples.Enqueue((now, done));
                while (_samples.Count > 2 && now - _samples.Peek().At > Window)
                {
                    _samples.Dequeue();
                }
            }
        }

        Changed?.Invoke();
    }

    /// <summary>Adds bytes that are done.</summary>
    public void Add(long bytes) => Report(Interlocked.Add(ref _done, bytes), Total);

    /// <summary><c>0:07</c>, <c>12:30</c>, <c>3:05:00</c></summary>
    public static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time:mm\\:ss}")
        : time.ToString("m\\:ss", CultureInfo.InvariantCulture);
}
