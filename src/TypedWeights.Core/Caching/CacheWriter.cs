using System.Threading.Channels;

namespace TypedWeights.Caching;

/// <summary>
/// Writes what a load fetches into the cache, beside the load, from buffers of its own. When they are all waiting for the disk, bytes are
/// let go; when the disk fails, all that is still to come.
/// </summary>
internal sealed class CacheWriter
{
    /// <summary>The bytes of a buffer: what is written and noted down at one go.</summary>
    public const int BufferSize = CacheBuffers.Size;

    private readonly LocalCache _cache;
    private readonly Channel<Piece> _pieces = Channel.CreateUnbounded<Piece>();
    private readonly CacheBuffers _buffers = new();
    private readonly Lock _lock = new();
    // One: a file system lets one write to a file at a time, and others spin until it is done, on cores that the load needs.
    private Task? _writing;
    private long _limit = 16L << 20;
    private long _rented;
    private long _dropped;
    private string? _failure;

    public CacheWriter(LocalCache cache) => _cache = cache;

    /// <summary>The most bytes in buffers.</summary>
    public long BufferLimit
    {
        get => Interlocked.Read(ref _limit);
        set => Interlocked.Exchange(ref _limit, value);
    }

    /// <summary>Bytes that were let go because all buffers were waiting for the disk.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Why writing was given up; null where it was not.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>A buffer; null where none is left, or none is needed any more.</summary>
    /// <param name="length">At least so long, and no more than <see cref="BufferSize"/>.</param>
    public Memory<byte>? TryRent(int length)
    {
        if (Failure is not null)
        {
            return null;
        }

        // Headers and small tensors need no large ones, and what they have is not kept.
        int size = length > BufferSize / 16 ? BufferSize : length;
        if (Interlocked.Add(ref _rented, size) > BufferLimit)
        {
            Interlocked.Add(ref _rented, -size);
            return null;
        }

        try
        {
            return size < BufferSize ? GC.AllocateUninitializedArray<byte>(size) : _buffers.Rent();
        }
        catch (OutOfMemoryException)
        {
            Interlocked.Add(ref _rented, -size);
            return null;
        }
    }

    /// <summary>Gives a buffer back.</summary>
    public void GiveBack(Memory<byte> buffer)
    {
        if (buffer.Length == BufferSize)
        {
            _buffers.GiveBack(buffer);
        }

        Interlocked.Add(ref _rented, -buffer.Length);
    }

    /// <summary>Tells of bytes that nothing could be rented for.</summary>
    public void Drop(long bytes) => Interlocked.Add(ref _dropped, bytes);

    /// <summary>Hands bytes over to be written; the buffer is the writer's from here on.</summary>
    /// <param name="copy">Where to; null, once it is known, for nowhere.</param>
    /// <param name="offset">Where they lie in the file.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="length">How many of its bytes.</param>
    public void Submit(Func<ValueTask<PartialCopy?>> copy, long offset, Memory<byte> buffer, int length)
    {
        _pieces.Writer.TryWrite(new Piece(copy, offset, buffer, length));
        lock (_lock)
        {
            _writing ??= Task.Run(RunAsync);
        }
    }

    /// <summary>Nothing more comes. Returns when all has been written or given up.</summary>
    public async Task FinishAsync()
    {
        _pieces.Writer.Complete();
        await (_writing ?? Task.CompletedTask).ConfigureAwait(false);
        _buffers.Free();
    }

    private async Task RunAsync()
    {
        await foreach (Piece piece in _pieces.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                if (Failure is null && await piece.Copy().ConfigureAwait(false) is { } copy)
                {
                    await WriteAsync(copy, piece).ConfigureAwait(false);
                }
            }
            catch (Exception e)
            {
                // Whatever it was: it ends the caching and nothing else.
                Interlocked.CompareExchange(ref _failure, e.Message, null);
            }
            finally
            {
                GiveBack(piece.Buffer);
            }
        }
    }

    private async ValueTask WriteAsync(PartialCopy copy, Piece piece)
    {
        if (_cache.Options.BeforeWrite is { } wait)
        {
            await wait().ConfigureAwait(false);
        }

        // Another load of this process may have written the same bytes.
        foreach ((long offset, long length) in copy.Parts.Claim(piece.Offset, piece.Length))
        {
            try
            {
                await WriteAsync(copy, offset, piece.Buffer.Slice((int)(offset - piece.Offset), (int)length)).ConfigureAwait(false);
            }
            finally
            {
                copy.Parts.GiveBack(offset);
            }
        }
    }

    private async ValueTask WriteAsync(PartialCopy copy, long offset, Memory<byte> bytes)
    {
        if (!_cache.Room.TryTake(bytes.Length))
        {
            throw new WeightsException($"{_cache.Folder.Path}: it is full, and everything in it is in use (LocalCacheOptions.SizeLimit).");
        }

        try
        {
            await copy.File.WriteAsync(offset, bytes, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _cache.Room.Settle(bytes.Length);
        }
    }

    private readonly record struct Piece(Func<ValueTask<PartialCopy?>> Copy, long Offset, Memory<byte> Buffer, int Length);
}
