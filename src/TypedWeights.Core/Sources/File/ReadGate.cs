using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Sources.File;

/// <summary>
/// How many reads of a location's files run at a time: as many as there are cores while the bytes come from the page cache, where more
/// only get in each other's way, and more of them once they are seen to wait for a disk or a network.
/// </summary>
#pragma warning disable CA1001 // A semaphore whose wait handle nobody asks for holds nothing that could be disposed.
internal sealed class ReadGate
#pragma warning restore CA1001
{
    /// <summary>The most reads at a time: a fast disk or a network file system is at its best rate by then.</summary>
    public const int Most = 16;

    // Long enough for a few parts, short against a load that is worth the trouble.
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(20);

    private readonly Lock _measuring = new();
    private readonly SemaphoreSlim _slots;
    private readonly int _cores;
    private int _limit;
    private int _running;
    private long _windowStart;
    private TimeSpan _windowCpu;

    public ReadGate()
    {
        _cores = Math.Clamp(Environment.ProcessorCount, 1, Most / 2);
        _limit = _cores;
        _slots = new SemaphoreSlim(_cores, Most);
    }

    /// <summary>How many reads run at a time for now.</summary>
    public int Limit => Volatile.Read(ref _limit);

    /// <summary>Reads at a position; the memory is not written to once the task has ended.</summary>
    /// <returns>The number of bytes; 0 at the end of the file.</returns>
    public async ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Interlocked.Increment(ref _running) == 1)
            {
                StartWindow();
            }

            // A file's handle is not an asynchronous one here: this is pread on a thread of the pool. Reads that wait get threads of
            // their own, since the pool makes new ones slowly and has other work than waiting.
            return Limit <= _cores
                ? await RandomAccess.ReadAsync(file, destination, position, cancellationToken).ConfigureAwait(false)
                : await Task.Factory.StartNew(
                    () => RandomAccess.Read(file, destination.Span, position),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            Measure();
            Interlocked.Decrement(ref _running);
            _slots.Release();
        }
    }

    private void StartWindow()
    {
        lock (_measuring)
        {
            _windowStart = Environment.TickCount64;
            _windowCpu = Environment.CpuUsage.TotalTime;
        }
    }

    // Copying from the page cache keeps a core busy and waiting does not. The processor time is the whole process's: beside other
    // heavy work there would be little to gain from more readers.
    private void Measure()
    {
        if (Limit == Most || !_measuring.TryEnter())
        {
            return;
        }

        try
        {
            TimeSpan elapsed = TimeSpan.FromMilliseconds(Environment.TickCount64 - _windowStart);
            if (elapsed < Window)
            {
                return;
            }

            TimeSpan busy = Environment.CpuUsage.TotalTime - _windowCpu;
            if (busy < elapsed * Math.Min(Volatile.Read(ref _running), _cores) / 2)
            {
                int more = Math.Min(_limit, Most - _limit);
                Volatile.Write(ref _limit, _limit + more);
                _slots.Release(more);
            }

            StartWindow();
        }
        finally
        {
            _measuring.Exit();
        }
    }
}
