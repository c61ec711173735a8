using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// A second request for what a straggling run is missing, over another connection and into spare memory. The spare memory is given back
/// only when both the hedge and the run are done with it.
/// </summary>
internal sealed class Hedge
{
    private readonly RangeRun _run;
    private readonly SpareMemory _spares;
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource<bool> _hasAll = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _length;
    private HeapRegion? _memory;

    private Hedge(RangeRun run, long from, int length, SpareMemory spares, CancellationToken stop)
    {
        _run = run;
        From = from;
        _length = length;
        _spares = spares;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
    }

    /// <summary>The first byte that it reads, counted from the range's.</summary>
    public long From { get; }

    /// <returns>null where the run has all its bytes, or no memory is left to spare.</returns>
    public static Hedge? TryCreate(RangeRun run, long from, SpareMemory spares, CancellationToken stop)
    {
        int length = (int)(run.Range.Length - from);
        return length > 0 && spares.TryTake(length) ? new Hedge(run, from, length, spares, stop) : null;
    }

    /// <summary>Reads, hands over, and gives the memory back. Its failure is no failure of the load.</summary>
    public async Task RunAsync()
    {
        try
        {
            _memory = HeapRegion.Allocate(_length);
            await FillAsync().ConfigureAwait(false);
            _hasAll.TrySetResult(true);
            _run.Rescue();
            await _released.Task.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whatever it was: the run goes on by itself, and fails by itself if it must.
        }
        finally
        {
            _hasAll.TrySetResult(false);
            _memory?.Dispose();
            _spares.GiveBack(_length);
            _stop.Dispose();
        }
    }

    /// <summary>Waits for the end of the hedge's own reading.</summary>
    public Task<bool> HasAllAsync(CancellationToken cancellationToken) => _hasAll.Task.WaitAsync(cancellationToken);

    /// <summary>The bytes from a position of the range on; for the run, until it calls <see cref="Release"/>.</summary>
    public IRangeReader OpenAt(long position) => new SpareReader(_memory!.Address + (nint)(position - From));

    /// <summary>The run needs it no more: an unfinished hedge ends.</summary>
    public void Release()
    {
        _released.TrySetResult();
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    private async Task FillAsync()
    {
        IRangeReader reader = await _run.Source.OpenRangeAsync(_run.Range.Offset + From, _length, _stop.Token).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            Memory<byte> memory = new NativeMemoryManager(_memory!.Address, _length).Memory;
            await reader.FillAsync(memory, static _ => { }, _stop.Token).ConfigureAwait(false);
        }
    }

    private sealed class SpareReader(nint address) : IRangeReader
    {
        private nint _address = address;

        public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            new NativeMemoryManager(_address, destination.Length).Memory.CopyTo(destination);
            _address += destination.Length;
            return ValueTask.FromResult(destination.Length);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>How much memory hedges may hold together.</summary>
internal sealed class SpareMemory(long limit)
{
    private long _left = limit;

    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _left, -bytes) >= 0)
        {
            return true;
        }

        GiveBack(bytes);
        return false;
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _left, bytes);
}
