using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// The readers of one job. They take ranges from one queue; <see cref="ConnectionTuner"/> decides how many readers there are.
/// </summary>
internal sealed class ReaderPool : IDisposable
{
    private readonly TransferJob _job;
    private readonly TensorCountdown _countdown;
    private readonly ProgressTracker _tracker;
    private readonly TransferContext _context;
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards the fields below.
    private readonly Lock _lock = new();
    private readonly Queue<IReadOnlyList<TransferRange>> _queue = new();
    private readonly ConnectionTuner _tuner;
    private int _active;
    private ExceptionDispatchInfo? _failure;

    public ReaderPool(
        TransferJob job, TensorCountdown countdown, ProgressTracker tracker, TransferContext context, CancellationToken cancellationToken)
    {
        _job = job;
        _countdown = countdown;
        _tracker = tracker;
        _context = context;
        _tuner = new ConnectionTuner(job.Readers);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        FillQueue();
    }

    /// <summary>Reads every range of the plan. Returns or throws when every reader has returned.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        StartReaders();
        if (_job.Readers.IsTuned)
        {
            await TuneAsync().ConfigureAwait(false);
        }

        await _idle.Task.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        _failure?.Throw();
    }

    public void Dispose() => _stop.Dispose();

    // A range is one piece of work. All ranges of a file that can only be read in order are one piece, too.
    private void FillQueue()
    {
        var sequential = new Dictionary<int, List<TransferRange>>();
        foreach (TransferRange range in _job.Plan.Ranges)
        {
            if (!_job.Files[range.File].IsSequential)
            {
                _queue.Enqueue([range]);
            }
            else if (sequential.TryGetValue(range.File, out List<TransferRange>? ofFile))
            {
                ofFile.Add(range);
            }
            else
            {
                sequential.Add(range.File, ofFile = [range]);
                _queue.Enqueue(ofFile);
            }
        }
    }

    private async Task TuneAsync()
    {
        long bytes = 0, throttles = _context.Throttles, last = _context.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await _idle.Task.WaitAsync(ConnectionTuner.Interval, _context.Time).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                // The next observation is due.
            }

            long now = _context.Time.GetTimestamp(), bytesNow = _tracker.Bytes, throttlesNow = _context.Throttles;
            int waiting = _context.Turns.Waiting;
            lock (_lock)
            {
                _tuner.Observe(
                    _context.Time.GetElapsedTime(last, now).TotalSeconds,
                    bytesNow - bytes,
                    throttlesNow - throttles,
                    served: waiting == 0 ? null : _active - waiting);
            }

            (bytes, throttles, last) = (bytesNow, throttlesNow, now);
            StartReaders();
        }
    }

    private void StartReaders()
    {
        lock (_lock)
        {
            while (_active < _tuner.Target && !_stop.IsCancellationRequested && _queue.TryDequeue(out IReadOnlyList<TransferRange>? work))
            {
                // On a pool thread, because the caller's thread may be that of a user interface.
                _active++;
                _ = Task.Run(() => ReadAsync(work), CancellationToken.None);
            }

            // There is nothing to read, or the job was cancelled before the first reader started.
            if (_active == 0)
            {
                _idle.TrySetResult();
            }
        }
    }

    private async Task ReadAsync(IReadOnlyList<TransferRange>? work)
    {
        try
        {
            for (; work is not null; work = TakeOrLeave())
            {
                foreach (TransferRange range in work)
                {
                    await ReadAsync(range).ConfigureAwait(false);

                    // A file in the page cache is copied without ever waiting. Other work in the thread pool gets its turn.
                    if (ThreadPool.PendingWorkItemCount > 0)
                    {
                        await Task.Yield();
                    }
                }
            }
        }
        catch (Exception e)
        {
            // The first failure cancels the other readers.
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            await _stop.CancelAsync().ConfigureAwait(false);
            lock (_lock)
            {
                Leave();
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadAsync(TransferRange range)
    {
        IWeightSource source = _job.Files[range.File];
        try
        {
            await new RangeRun(range, source, _job.Sink, _countdown, _tracker).ReadAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!_stop.IsCancellationRequested)
        {
            // A timeout of the source's own client, for example. It must not look like a cancellation by the caller.
            throw StallGuard.Cancelled(source.Display, e);
        }

        if (!_job.Readers.IsTuned && source is IDiskSource { WaitsForDisk: true })
        {
            lock (_lock)
            {
                _tuner.Widen();
            }

            StartReaders();
        }
    }

    // A surplus reader leaves between two ranges. The last reader stays until the queue is empty.
    private IReadOnlyList<TransferRange>? TakeOrLeave()
    {
        lock (_lock)
        {
            if (!_stop.IsCancellationRequested && _active <= Math.Max(1, _tuner.Target)
                && _queue.TryDequeue(out IReadOnlyList<TransferRange>? work))
            {
                return work;
            }

            Leave();
            return null;
        }
    }

    private void Leave()
    {
        if (--_active == 0)
        {
            _idle.TrySetResult();
        }
    }
}
