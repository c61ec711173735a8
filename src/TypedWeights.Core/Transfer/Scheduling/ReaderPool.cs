using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>The readers of one load: as many at once as the tuner says, and hedges for those that straggle at the end.</summary>
internal sealed class ReaderPool : IDisposable
{
    private readonly RangeQueue _queue;
    private readonly IReadOnlyList<IWeightSource> _sources;
    private readonly IWeightSink _sink;
    private readonly TensorCountdown _countdown;
    private readonly ProgressTracker _tracker;
    private readonly TransferContext _context;
    private readonly ReaderLimits _limits;
    private readonly ConnectionTuner _tuner;
    private readonly Stragglers _stragglers;
    private readonly SpareMemory _spares;
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards what follows, and the queue.
    private readonly Lock _lock = new();
    private readonly List<Task> _tasks = [];
    private ExceptionDispatchInfo? _failure;
    private int _active;
    private int _hedges;

    public ReaderPool(
        TransferJob job, TensorCountdown countdown, ProgressTracker tracker, TransferContext context, CancellationToken cancellationToken)
    {
        _queue = new RangeQueue(job.Plan, job.Files);
        _sources = job.Files;
        _sink = job.Sink;
        _countdown = countdown;
        _tracker = tracker;
        _context = context;
        _limits = job.Readers;
        _tuner = new ConnectionTuner(_limits);
        _stragglers = new Stragglers(context.Time);
        _spares = new SpareMemory(_limits.SpareBytes);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Reads everything. Returns or throws when every reader and hedge has returned.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_queue.Count > 0)
        {
            StartReaders();
            await SuperviseAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(_tasks).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        _failure?.Throw();
    }

    public void Dispose() => _stop.Dispose();

    // Reads of files are all alike; across a network the number of readers and the stragglers among them are worth a look now and then.
    private async Task SuperviseAsync()
    {
        if (!_limits.IsTuned)
        {
            await _idle.Task.ConfigureAwait(false);
            return;
        }

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
                // Time for a look.
            }

            long now = _context.Time.GetTimestamp(), bytesNow = _tracker.Bytes, throttlesNow = _context.Throttles;
            int waiting = _context.Turns.Waiting;
            _tuner.Observe(
                _context.Time.GetElapsedTime(last, now).TotalSeconds,
                bytesNow - bytes,
                throttlesNow - throttles,
                served: waiting == 0 ? null : Volatile.Read(ref _active) - waiting);
            (bytes, throttles, last) = (bytesNow, throttlesNow, now);
            StartReaders();
            StartHedges();
        }
    }

    private void StartReaders()
    {
        lock (_lock)
        {
            // On pool threads: the caller's may be a user interface's.
            while (_active < Math.Min(_tuner.Target, _queue.Count) && !_queue.IsEmpty && !_stop.IsCancellationRequested)
            {
                _active++;
                _tasks.Add(Task.Run(ReadAsync, CancellationToken.None));
            }

            // Cancelled before the first of them began: nobody would ever say that all have left.
            if (_active == 0)
            {
                _idle.TrySetResult();
            }
        }
    }

    private void StartHedges()
    {
        if (!_context.Options.Hedging || !_queue.IsEmpty || _stop.IsCancellationRequested)
        {
            return;
        }

        lock (_lock)
        {
            foreach (RangeRun run in _stragglers.Find(_tuner.Target - _active - _hedges))
            {
                Hedge? hedge = null;
                if (run.TryHedge(from => hedge = Hedge.TryCreate(run, from, _spares, _stop.Token)))
                {
                    _hedges++;
                    _tasks.Add(Task.Run(() => HedgeAsync(hedge!), CancellationToken.None));
                }
            }
        }
    }

    private async Task HedgeAsync(Hedge hedge)
    {
        await hedge.RunAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _hedges--;
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var turn = new ReaderTurn(_context.Time);
            while (TryTake() is { } ranges)
            {
                for (int i = 0; i < ranges.Count; i++)
                {
                    await ReadAsync(ranges[i]).ConfigureAwait(false);
                    WidenFor(_sources[ranges[i].File]);
                    if (turn.IsOver())
                    {
                        await Task.Yield();
                    }
                }
            }
        }
        catch (Exception e)
        {
            // The first failure ends the others; theirs are cancellations then.
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            await _stop.CancelAsync().ConfigureAwait(false);
            lock (_lock)
            {
                Leave();
            }
        }
    }

    private void WidenFor(IWeightSource source)
    {
        if (!_limits.IsTuned && _tuner.Target < _limits.Max && source is IDiskSource { WaitsForDisk: true })
        {
            lock (_lock)
            {
                _tuner.Widen();
            }

            StartReaders();
        }
    }

    // A reader too many leaves between two ranges; the last one never does, as somebody has to empty the queue.
    private IReadOnlyList<TransferRange>? TryTake()
    {
        lock (_lock)
        {
            if (!_stop.IsCancellationRequested && _active <= Math.Max(1, _tuner.Target) && _queue.Take() is { } ranges)
            {
                return ranges;
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadAsync(TransferRange range)
    {
        using var run = new RangeRun(range, _sources[range.File], _sink, _countdown, _tracker, _context.Time.GetTimestamp(), _stop.Token);
        _stragglers.Add(run);
        try
        {
            await run.ReadAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!_stop.IsCancellationRequested)
        {
            // Nobody here asked for it: a client's own time-out, say. It must not look like the caller's wish, or like an end.
            throw StallGuard.Cancelled(run.Source.Display, e);
        }
        finally
        {
            _stragglers.Remove(run);
        }
    }
}
