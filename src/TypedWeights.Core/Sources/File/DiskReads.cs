using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Sources.File;

/// <summary>
/// Reads one file: on threads of the pool while the page cache has the bytes, and on threads outside the pool, for large reads, once reads
/// wait for a disk. A disk handles several requests at once, and sleeping threads would block the pool.
/// </summary>
internal sealed class DiskReads
{
    // Smaller reads do not show whether the disk was involved.
    private const int Large = 1 << 20;

    // A core copies five to ten times as fast from the page cache, and at least twice as fast if it touches new memory on the way.
    private const double SlowestCopy = 0.5e9;

    private readonly Read _read;
    private bool _isCold;

    /// <param name="read">Reads once; null for the system's own call.</param>
    public DiskReads(Read? read = null) => _read = read ?? (static (file, memory, position) => RandomAccess.Read(file, memory.Span, position));

    /// <summary>Reads at a position of a file, as <see cref="RandomAccess.Read(SafeFileHandle, Span{byte}, long)"/> does.</summary>
    public delegate int Read(SafeFileHandle file, Memory<byte> memory, long position);

    /// <summary>Whether the last large read waited for a disk.</summary>
    public bool IsCold => Volatile.Read(ref _isCold);

    /// <summary>Reads. A read that has started is not cancelled.</summary>
    /// <returns>How many bytes were read; 0 at the end of the file.</returns>
    public async ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> memory, long position, CancellationToken cancellationToken)
    {
        bool isCold = IsCold && memory.Length >= Large;
        if (isCold || !Thread.CurrentThread.IsThreadPoolThread)
        {
            TaskCreationOptions thread = isCold ? TaskCreationOptions.LongRunning : TaskCreationOptions.None;
            return await ReadOnAsync(thread, file, memory, position, cancellationToken).ConfigureAwait(false);
        }

        // This is a thread of the pool already. Another one would only have to be woken.
        cancellationToken.ThrowIfCancellationRequested();
        return ReadTimed(file, memory, position);
    }

    // A method of its own, so that a read on the current thread allocates no closure.
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
