using System.Diagnostics;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A connection without TLS that wakes its reader less often. Without this class, the reader of a fast connection is woken for every few
/// packets. Here the kernel waits for the bytes of a few milliseconds (SO_RCVLOWAT), as long as bytes arrive at that rate.
/// </summary>
/// <remarks>
/// The kernel never waits for more bytes than the last request still has to bring, so that the end of a response does not wait for bytes
/// that the server does not send. A timer ends the wait when a connection slows down while it is read.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class ThriftyStream : NetworkStream
{
    // <sys/socket.h>
    private const int SolSocket = 1;
    private const int SoRcvLowAt = 18;

    private const uint LeastAwaited = 32 << 10;
    private const uint MostAwaited = 512 << 10;
    private static readonly TimeSpan Worth = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);
    private static readonly AsyncLocal<long> Request = new();

    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private double _bytesPerSecond;
    private long _due;
    private long _since;
    private long _received;
    private int _awaited = 1;
    private bool _isWaiting;
    private bool _hasResponded;
    private bool _isUsable = true;

    /// <param name="socket">The connected socket; disposed with the stream.</param>
    public ThriftyStream(Socket socket)
        : base(socket, ownsSocket: true)
    {
        _timer = new Timer(static stream => ((ThriftyStream)stream!).LetGo(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sets the number of bytes that the request of this asynchronous method requests, for the connection that it will use.</summary>
    public static void Expect(long bytes) => Request.Value = bytes;

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _due = Request.Value;
        _since = 0;
        _received = 0;
        _hasResponded = false;
        return base.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The headers of a response are read at once: no body may follow.
        uint worth = (uint)Math.Min(_bytesPerSecond * Worth.TotalSeconds, MostAwaited);
        bool isAwaited = _hasResponded && worth >= LeastAwaited && _due > LeastAwaited;
        Await(isAwaited ? (int)Math.Min(BitOperations.RoundUpToPowerOf2(worth), _due) : 1);
        _hasResponded = true;
        ValueTask<int> receive = base.ReadAsync(buffer, cancellationToken);
        return receive.IsCompletedSuccessfully ? new ValueTask<int>(Count(receive.Result)) : WaitAsync(receive);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        Await(1);
        return Count(base.Read(buffer));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _timer.Dispose();
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(ValueTask<int> receive)
    {
        Learn();
        Volatile.Write(ref _isWaiting, true);
        if (_awaited > 1)
        {
            _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        }

        try
        {
            return Count(await receive.ConfigureAwait(false));
        }
        finally
        {
            Volatile.Write(ref _isWaiting, false);
        }
    }

    private int Count(int read)
    {
        _received += read;
        _due -= read;
        return read;
    }

    // From one wait to the next; slowly up, at once down.
    private void Learn()
    {
        long now = Stopwatch.GetTimestamp();
        if (_since != 0)
        {
            double rate = _received / Math.Max(Stopwatch.GetElapsedTime(_since, now).TotalSeconds, 1e-6);
            _bytesPerSecond = Math.Min(rate, (_bytesPerSecond + rate) / 2);
        }

        _since = now;
        _received = 0;
    }

    private void LetGo()
    {
        if (Volatile.Read(ref _isWaiting))
        {
            _bytesPerSecond = 0;
            Await(1);
        }
    }

    private void Await(int bytes)
    {
        lock (_lock)
        {
            if (bytes == _awaited || !_isUsable)
            {
                return;
            }

            try
            {
                Span<byte> value = stackalloc byte[sizeof(int)];
                MemoryMarshal.Write(value, bytes);
                Socket.SetRawSocketOption(SolSocket, SoRcvLowAt, value);
                _awaited = bytes;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // A system without it, or a socket that was closed meanwhile: the reads go on, or say so themselves.
                _isUsable = false;
            }
        }
    }
}
