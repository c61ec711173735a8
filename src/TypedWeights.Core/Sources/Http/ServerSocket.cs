using System.Net.Sockets;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A socket to a server. All loaders of a process together open only as many sockets as its limit on open files leaves: the runtime ends the
/// process when it needs a descriptor and gets none.
/// </summary>
internal sealed class ServerSocket : Socket
{
    // Counting takes longer the higher the limit is, and no load needs as many descriptors as this.
    private const long HighLimit = 1 << 16;

    // This many sockets may use the descriptors that are kept for files.
    private const int FewSockets = 8;
    private const long LeastKept = 16;
    private const long MostKept = 256;

    private static readonly Lock Opening = new();
    private static int _open;

    private int _isCounted;

    private ServerSocket(AddressFamily family)
        : base(family, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true;
        Interlocked.Increment(ref _open);
        _isCounted = 1;
    }

    /// <summary>Creates a socket that is not connected.</summary>
    /// <exception cref="SocketException">The system has none, or this process may not open another one.</exception>
    public static ServerSocket Open(AddressFamily family)
    {
        // One after the other, because each must count the sockets before it.
        lock (Opening)
        {
            return HasRoom() ? new ServerSocket(family) : throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
    }

    /// <summary>The number of descriptors that are kept free for files and for the runtime.</summary>
    /// <param name="limit">The number of files that the process may have open.</param>
    /// <param name="sockets">The number of sockets to servers.</param>
    internal static long Kept(long limit, int sockets) => sockets < FewSockets ? LeastKept : Math.Clamp(limit / 4, LeastKept, MostKept);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isCounted, 0) == 1)
        {
            Interlocked.Decrement(ref _open);
        }

        base.Dispose(disposing);
    }

    // The first socket is always allowed, because a load needs one.
    private static bool HasRoom()
    {
        int sockets = Volatile.Read(ref _open);
        return sockets == 0
            || ProcessLimits.OpenFiles is not { } limit
            || limit > HighLimit
            || OpenFileLimit.CountOpen() is not { } open
            || limit - open > Kept(limit, sockets);
    }
}
