using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Sources.File;

/// <summary>
/// Reads of one file: on threads of the pool for as long as the page cache has the bytes, and large ones on threads of their own once reads
/// wait for a disk. A disk does several things at once, and a pool whose threads sleep helps nobody.
/// </summary>
internal sealed class DiskReads
{
    // Smaller reads tell nothing about a disk.
    private const int Large = 1 << 20;

    // A core copies five to ten times as fast from the page cache, and no slower than twice this where it touches memory as it goes.
    private const double SlowestCopy = 0.5e9;

    private readonly Read _read;
    private bool _isCold;

    /// <param name="read">One read; null for the system's own.</param>
    public DiskReads(Read? read = null) => _read = read ?? (static (file, memory, position) => RandomAccess.Read(file, memory.Span, position));

    /// <summary>Reads at a position of a file, as <see cref="RandomAccess.Read(SafeFileHandle, Span{byte}, long)"/> does.</summary>
    public delegate int Read(SafeFileHandle file, Memory<byte> memory, long position);

    /// <summary>Whether the last large read waited for a disk.</summary>
    public bool IsCold => Volatile.Read(ref _isCold);

    /// <summary>Reads. A read that has begun is not cancelled.</summary>
    /// <returns>How many bytes came; 0 at the end of the file.</returns>
    public async ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> memory, long position, CancellationToken cancellationToken)
    {
        bool isCold = IsCold && memory.Length >= Large;
        if (isCold || !Thread.CurrentThread.IsThreadPoolThread)
        {
            TaskCreationOptions thread = isCold ? TaskCreationOptions.LongRunning : TaskCreationOptions.None;
            return await ReadOnAsync(thread, file, memory, position, cancellationToken).ConfigureAwait(false);
        }

        // It is the pool's to do already: handed to another of its threads, it would only wake one more.
        cancellationToken.ThrowIfCancellationRequested();
        return ReadTimed(file, memory, position);
    }

    // By itself, so that a read on the thread that is there makes no closure.
    private Task<int> ReadOnAsync(
        TaskCreationOptions thread, SafeFileHandle file, Memory<byte> memory, long position, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => ReadTimed(file, memory, position), cancellationToken, thread, TaskScheduler.Default);

    private int ReadTimed(SafeFileHandle file, Memory<byte> memory, long position)
    {
        long start = Stopwatch.GetTimestamp();
        int read = _read(file, memory, position);
        if (read >= Large)
        {
            Volatile.Write(ref _isCold, read / SlowestCopy < Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return read;
    }
}
