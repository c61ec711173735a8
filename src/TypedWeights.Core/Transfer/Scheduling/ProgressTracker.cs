using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>Counts what has landed and passes it on, never more often than ten times a second.</summary>
internal sealed class ProgressTracker
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Action<LoadProgress> _report;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long[] _fileBytesLeft;
    private readonly long[] _tensorBytesLeft;
    private readonly int _filesTotal;
    private readonly long _bytesTotal;
    private long _bytes;
    private int _files;
    private int _tensors;
    private long _nextReport;

    public ProgressTracker(TransferPlan plan, Action<LoadProgress> report, TimeProvider time)
    {
        _report = report;
        _time = time;
        _start = time.GetTimestamp();
        _nextReport = Interval.Ticks;
        _bytesTotal = plan.TotalBytes;
        _fileBytesLeft = new long[plan.FileCount];
        _tensorBytesLeft = new long[plan.TargetCount];
        foreach (TransferRange range in plan.Ranges)
        {
            for (int i = 0; i < range.Segments.Count; i++)
            {
                TransferSegment segment = range.Segments[i];
                if (!segment.IsGap)
                {
                    _fileBytesLeft[range.File] += segment.Length;
                    _tensorBytesLeft[segment.Tensor] += segment.Length;
                }
            }
        }

        // Those without bytes, and those whose bytes are not read.
        _tensors = _tensorBytesLeft.Count(bytes => bytes == 0);
        _filesTotal = _fileBytesLeft.Count(bytes => bytes > 0);
    }

    /// <summary>Bytes that have landed.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Counts bytes that have landed in a tensor. They count for its file by <see cref="AddBytes"/>.</summary>
    public void AddToTensor(int tensor, long bytes)
    {
        if (Interlocked.Add(ref _tensorBytesLeft[tensor], -bytes) == 0)
        {
            Interlocked.Increment(ref _tensors);
        }
    }

    /// <summary>Counts bytes that have landed, in whatever tensors of a file. Those of a gap are not what was asked for.</summary>
    public void AddBytes(int file, long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (Interlocked.Add(ref _fileBytesLeft[file], -bytes) == 0)
        {
            Interlocked.Increment(ref _files);
        }

        // One of the readers that come by after the interval wins and reports.
        long due = Volatile.Read(ref _nextReport);
        long elapsed = _time.GetElapsedTime(_start).Ticks;
        if (elapsed >= due && Interlocked.CompareExchange(ref _nextReport, elapsed + Interval.Ticks, due) == due)
        {
            _report(Current);
        }
    }

    /// <summary>Reports the last figures, whatever the interval.</summary>
    public LoadProgress Finish()
    {
        LoadProgress last = Current;
        _report(last);
        return last;
    }

    private LoadProgress Current => new(
        Volatile.Read(ref _files),
        _filesTotal,
        Volatile.Read(ref _tensors),
        _tensorBytesLeft.Length,
        Interlocked.Read(ref _bytes),
        _bytesTotal,
        _time.GetElapsedTime(_start));
}
