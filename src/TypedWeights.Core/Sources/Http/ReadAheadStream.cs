using System.Net.Sockets;
using System.Runtime.CompilerServices;
using TypedWeights.Memory;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A connection below TLS that reads much at once. TLS reads record by record, 16 KiB each; on a fast line, so many system calls and
/// acknowledgements cost more than decryption. Here a record is a copy from memory.
/// </summary>
/// <remarks>
/// Only available bytes are read ahead: a read returns as soon as the connection has any. Used by one reader and one writer at a time.
/// </remarks>
internal class ReadAheadStream : NetworkStream
{
    /// <summary>The most bytes that are read at once, and the buffer of a connection.</summary>
    public const int Size = 256 << 10;

    // Outside the managed heap: the buffers of all connections would be most of the garbage of a load.
    private readonly HeapRegion _memory = HeapRegion.Allocate(Size);
    private readonly Memory<byte> _buffer;
    private Memory<byte> _ahead;

    // The owner and a running read. The last of them frees the memory, so that no late byte is written to freed memory.
    private int _users = 1;
    private int _disposed;

    /// <param name="socket">The connected socket; disposed with the stream.</param>
    public ReadAheadStream(Socket socket)
        : base(socket, ownsSocket: true) => _buffer = new NativeMemoryManager(_memory.Address, Size).Memory;

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        AddUser();
        try
        {
            if (_ahead.Length > 0)
            {
                return new ValueTask<int>(Take(buffer.Span));
            }

            // A read of zero bytes waits until bytes are available, and takes none.
            ValueTask<int> read = ReceiveAsync(buffer.Length == 0 ? buffer : _buffer, cancellationToken);
            if (!read.IsCompletedSuccessfully)
            {
                AddUser();
                return WaitAsync(read, buffer);
            }

            _ahead = _buffer[..read.Result];
            return new ValueTask<int>(Take(buffer.Span));
        }
        finally
        {
            Release();
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        AddUser();
        try
        {
            if (_ahead.Length == 0 && buffer.Length > 0)
            {
                // TLS reads asynchronously. A derived NetworkStream has no synchronous read of its socket into a span.
                _ahead = _buffer[..ReceiveAsync(_buffer, CancellationToken.None).AsTask().GetAwaiter().GetResult()];
            }

            return Take(buffer);
        }
        finally
        {
            Release();
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads from the socket.</summary>
    protected virtual ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        base.ReadAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Release();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(ValueTask<int> read, Memory<byte> buffer)
    {
        try
        {
            _ahead = _buffer[..await read.ConfigureAwait(false)];
            return Take(buffer.Span);
        }
        finally
        {
            Release();
        }
    }

    private int Take(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _ahead.Length);
        _ahead.Span[..count].CopyTo(buffer);
        _ahead = _ahead[count..];
        return count;
    }

    private void AddUser()
    {
        int users = Volatile.Read(ref _users);
        while (true)
        {
            ObjectDisposedException.ThrowIf(users == 0, this);
            int found = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (found == users)
            {
                return;
            }

            users = found;
        }
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            _memory.Dispose();
        }
    }
}
