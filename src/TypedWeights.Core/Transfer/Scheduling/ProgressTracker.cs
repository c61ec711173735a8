using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>Counts bytes, tensors and files, and reports the progress at most ten times per second.</summary>
internal sealed class ProgressTracker
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Action<LoadProgress>? _report;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long[] _fileBytesLeft;
    private readonly int _filesTotal;
    private readonly int _tensorsTotal;
    private readonly long _bytesTotal;
    private long _bytes;
    private int _files;
    private int _tensors;
    private long _nextReport;

    public ProgressTracker(TransferPlan plan, TensorCountdown countdown, Action<LoadProgress>? report, TimeProvider time)
    {
        _report = report;
        _time = time;
        _start = time.GetTimestamp();
        _nextReport = Interval.Ticks;
        _bytesTotal = plan.TotalBytes;
        _fileBytesLeft = new long[plan.FileCount];
        foreach (TransferRange range in plan.Ranges)
        {
            _fileBytesLeft[range.File] += range.WantedLength;
        }

        _filesTotal = _fileBytesLeft.Count(bytes => bytes > 0);
        _tensorsTotal = countdown.Count;
        countdown.Completed += _ => Interlocked.Increment(ref _tensors);
    }

    /// <summary>Bytes that have arrived.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Counts bytes of tensors; the bytes of gaps do not count.</summary>
    public void AddBytes(int file, long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (Interlocked.Add(ref _fileBytesLeft[file], -bytes) == 0)
        {
            Interlocked.Increment(ref _files);
        }

        // The first reader after the interval reports.
        long due = Volatile.Read(ref _nextReport);
        long elapsed = _time.GetElapsedTime(_start).Ticks;
        if (elapsed >= due && Interlocked.CompareExchange(ref _nextReport, elapsed + Interval.Ticks, due) == due)
        {
            _report?.Invoke(Current);
        }
    }

    /// <summary>Reports the last progress, whatever the interval.</summary>
    public LoadProgress Finish()
    {
        LoadProgress last = Current;
        _report?.Invoke(last);
        return last;
    }

    private LoadProgress Current => new(
        Volatile.Read(ref _files),
        _filesTotal,
        Volatile.Read(ref _tensors),
        _tensorsTotal,
        Interlocked.Read(ref _bytes),
        _bytesTotal,
        _time.GetElapsedTime(_start));
}
