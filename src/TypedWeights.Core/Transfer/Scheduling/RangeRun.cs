using System.Buffers;
using System.Runtime.CompilerServices;
using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// The reading of one range into its tensors. It alone writes to their memory: a hedge reads the same bytes into memory of its own, and
/// when it is done first, this run drops its connection, waits for it to return, and copies the hedge's bytes.
/// </summary>
internal sealed class RangeRun : IDisposable
{
    private const int ScratchSize = 64 << 10;

    private readonly TransferRange _range;
    private readonly IWeightSource _source;
    private readonly IWeightSink _sink;
    private readonly TensorCountdown _countdown;
    private readonly ProgressTracker _tracker;
    private readonly CancellationTokenSource _rescue;
    private readonly CancellationToken _stop;
    private readonly Action<int> _onArrived;
    private readonly Lock _lock = new();
    private Hedge? _hedge;
    private bool _hasReturned;
    private bool _isRescued;
    private long _received;
    private bool _isInGap;

    public RangeRun(
        TransferRange range,
        IWeightSource source,
        IWeightSink sink,
        TensorCountdown countdown,
        ProgressTracker tracker,
        long startedAt,
        CancellationToken stop)
    {
        _range = range;
        _source = source;
        _sink = sink;
        _countdown = countdown;
        _tracker = tracker;
        _stop = stop;
        _rescue = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _onArrived = OnArrived;
        StartedAt = startedAt;
    }

    /// <summary>When it began, as the clock's timestamp.</summary>
    public long StartedAt { get; }

    public IWeightSource Source => _source;

    public TransferRange Range => _range;

    /// <summary>Bytes of the range that have landed.</summary>
    public long Received => Interlocked.Read(ref _received);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ReadAsync()
    {
        IRangeReader? reader = null;
        try
        {
            reader = await _source.OpenRangeAsync(_range.Offset, _range.Length, _stop).ConfigureAwait(false);
            for (int i = 0; i < _range.Segments.Count;)
            {
                int first = i;
                TransferSegment segment = Joined(ref i);
                _isInGap = segment.IsGap;
                if (segment.IsGap)
                {
                    reader = await DropAsync(reader, segment.Length).ConfigureAwait(false);
                    continue;
                }

                Memory<byte> memory = await _sink.AcquireAsync(segment, _stop).ConfigureAwait(false);
                reader = await FillAsync(reader, memory).ConfigureAwait(false);
                await _sink.CommitAsync(segment, memory, _stop).ConfigureAwait(false);
                for (; first < i; first++)
                {
                    _countdown.Subtract(_range.Segments[first]);
                }
            }
        }
        finally
        {
            if (reader is not null)
            {
                await reader.DisposeAsync().ConfigureAwait(false);
            }

            Return();
        }
    }

    /// <summary>Begins a hedge of what is missing, unless there was one or the run is over.</summary>
    /// <param name="hedge">Made for the byte that is missing first.</param>
    public bool TryHedge(Func<long, Hedge?> hedge)
    {
        lock (_lock)
        {
            return !_hasReturned && _hedge is null && (_hedge = hedge(Received)) is not null;
        }
    }

    /// <summary>A hedge has all of its bytes: the run's own connection is given up.</summary>
    public void Rescue()
    {
        try
        {
            // Under no lock: whatever waits for this may do the rest of the run before the call returns, and come by locks of others.
            _rescue.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run has returned by itself.
        }
    }

    public void Dispose() => _rescue.Dispose();

    // A segment and those after it that the sink takes along with it, as one.
    private TransferSegment Joined(ref int index)
    {
        TransferSegment joined = _range.Segments[index++];
        for (; !joined.IsGap && index < _range.Segments.Count; index++)
        {
            TransferSegment next = _range.Segments[index];
            if (next.IsGap || joined.Length + next.Length > int.MaxValue || !_sink.IsContinued(joined, next))
            {
                break;
            }

            joined = joined with { Length = joined.Length + next.Length };
        }

        return joined;
    }

    private async ValueTask<IRangeReader> DropAsync(IRangeReader reader, long length)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, ScratchSize));
        try
        {
            for (long left = length; left > 0; left -= scratch.Length)
            {
                reader = await FillAsync(reader, scratch.AsMemory(0, (int)Math.Min(left, scratch.Length))).ConfigureAwait(false);
            }

            return reader;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IRangeReader> FillAsync(IRangeReader reader, Memory<byte> memory)
    {
        long start = Received;
        if (_isRescued)
        {
            await reader.FillAsync(memory, _onArrived, _stop).ConfigureAwait(false);
            return reader;
        }

        try
        {
            await reader.FillAsync(memory, _onArrived, _rescue.Token).ConfigureAwait(false);
            if (_hedge is null || !_rescue.IsCancellationRequested || _stop.IsCancellationRequested)
            {
                return reader;
            }

            await reader.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (_hedge is not null && !_stop.IsCancellationRequested)
        {
            // Rescued, or failed while a hedge is under way, which may yet save it. The reader has returned: nothing else writes here now.
            await reader.DisposeAsync().ConfigureAwait(false);
            if (!await _hedge.HasAllAsync(_stop).ConfigureAwait(false))
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
            }
        }

        return await TakeOverAsync(_hedge, start, memory).ConfigureAwait(false);
    }

    // All that the hedge has is taken from it, also where bytes of the run's own connection lie already: some of them may have come after
    // it had lost.
    private async ValueTask<IRangeReader> TakeOverAsync(Hedge hedge, long start, Memory<byte> memory)
    {
        _isRescued = true;
        long from = Math.Max(start, hedge.From);
        int kept = (int)(from - start), landed = (int)(Received - start);
        IRangeReader spare = hedge.OpenAt(from);
        if (landed > kept)
        {
            await spare.FillAsync(memory[kept..landed], static _ => { }, _stop).ConfigureAwait(false);
        }

        if (memory.Length > landed)
        {
            await spare.FillAsync(memory[landed..], _onArrived, _stop).ConfigureAwait(false);
        }

        return spare;
    }

    // From here on a hedge is of no use.
    private void Return()
    {
        lock (_lock)
        {
            _hasReturned = true;
        }

        _hedge?.Release();
    }

    private void OnArrived(int bytes)
    {
        Interlocked.Add(ref _received, bytes);
        if (!_isInGap)
        {
            _tracker.AddBytes(_range.File, bytes);
        }
    }
}
