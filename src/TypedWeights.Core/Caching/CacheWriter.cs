using System.Collections.Concurrent;
using System.Threading.Channels;
using TypedWeights.Memory;

namespace TypedWeights.Caching;

/// <summary>
/// Writes what a load fetches into the cache, beside the load, from its own buffers. When all of them wait for the disk, bytes are dropped;
/// when the disk fails, all further bytes.
/// </summary>
internal sealed class CacheWriter(LocalCache cache)
{
    /// <summary>The bytes of a buffer: what is written and noted down at one go.</summary>
    public const int BufferSize = 1 << 20;

    private readonly Channel<Piece> _pieces = Channel.CreateUnbounded<Piece>();

    // Outside the managed heap: their number grows as the disk falls behind, and all are freed when the load has ended.
    private readonly ConcurrentBag<HeapRegion> _regions = [];
    private readonly ConcurrentBag<Memory<byte>> _free = [];
    private readonly Lock _lock = new();

    // One: a file system lets one task write to a file at a time, and others spin until it is done, on cores that the load needs.
    private Task? _writing;
    private long _limit = 16L << 20;
    private long _rented;
    private long _dropped;
    private string? _failure;

    /// <summary>The most bytes in buffers.</summary>
    public long BufferLimit
    {
        get => Interlocked.Read(ref _limit);
        set => Interlocked.Exchange(ref _limit, value);
    }

    /// <summary>Bytes that were dropped because all buffers were waiting for the disk.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Why writing was given up; null if it was not.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Rents a buffer; null if none is left, or none is needed any more.</summary>
    /// <param name="length">Its least length, at most <see cref="BufferSize"/>.</param>
    public Memory<byte>? TryRent(int length)
    {
        if (Failure is not null)
        {
            return null;
        }

        // Headers and small tensors need no large ones, and small ones are not kept.
        int size = length > BufferSize / 16 ? BufferSize : length;
        if (Interlocked.Add(ref _rented, size) > BufferLimit)
        {
            Interlocked.Add(ref _rented, -size);
            return null;
        }

        try
        {
            return size < BufferSize ? GC.AllocateUninitializedArray<byte>(size) : _free.TryTake(out Memory<byte> free) ? free : Allocate();
        }
        catch (OutOfMemoryException)
        {
            Interlocked.Add(ref _rented, -size);
            return null;
        }
    }

    /// <summary>Returns a buffer.</summary>
    public void Return(Memory<byte> buffer)
    {
        if (buffer.Length == BufferSize)
        {
            _free.Add(buffer);
        }

        Interlocked.Add(ref _rented, -buffer.Length);
    }

    /// <summary>Counts bytes that no buffer could be rented for.</summary>
    public void Drop(long bytes) => Interlocked.Add(ref _dropped, bytes);

    /// <summary>Hands bytes over to be written; the buffer is the writer's from here on.</summary>
    /// <param name="copy">Where to.</param>
    /// <param name="offset">Where they lie in the file.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="length">How many of its bytes.</param>
    public void Submit(CacheCopy copy, long offset, Memory<byte> buffer, int length)
    {
        _pieces.Writer.TryWrite(new Piece(copy, offset, buffer, length));
        lock (_lock)
        {
            _writing ??= Task.Run(RunAsync);
        }
    }

    /// <summary>Ends the writing. Returns when all has been written or given up.</summary>
    public async Task FinishAsync()
    {
        _pieces.Writer.Complete();
        await (_writing ?? Task.CompletedTask).ConfigureAwait(false);
        while (_regions.TryTake(out HeapRegion? region))
        {
            region.Dispose();
        }
    }

    private Memory<byte> Allocate()
    {
        HeapRegion region = HeapRegion.Allocate(BufferSize);
        _regions.Add(region);
        return new NativeMemoryManager(region.Address, BufferSize).Memory;
    }

    private async Task RunAsync()
    {
        await foreach (Piece piece in _pieces.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                if (Failure is null)
                {
                    await (cache.Options.BeforeWrite?.Invoke() ?? Task.CompletedTask).ConfigureAwait(false);
                    await piece.Copy.WriteAsync(piece.Offset, piece.Buffer[..piece.Length], cache.TakeRoom).ConfigureAwait(false);
                }
            }
            catch (Exception e)
            {
                // Any error ends the caching and nothing else.
                Interlocked.CompareExchange(ref _failure, e.Message, null);
            }
            finally
            {
                Return(piece.Buffer);
            }
        }
    }

    private readonly record struct Piece(CacheCopy Copy, long Offset, Memory<byte> Buffer, int Length);
}
