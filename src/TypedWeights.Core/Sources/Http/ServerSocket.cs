using System.Net.Sockets;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A socket to a server. All loaders of a process together open no more of them than its limit on open files leaves: the runtime ends the
/// process when it needs a descriptor and gets none.
/// </summary>
internal sealed class ServerSocket : Socket
{
    // Counting takes time that grows with the limit, and no load comes near one as high as this.
    private const long HighLimit = 1 << 16;

    // These may use what is kept for files; more than these leave it alone.
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

    /// <summary>Makes a socket that is not connected yet.</summary>
    /// <exception cref="SocketException">The system has none, or this process may not have another one open.</exception>
    public static ServerSocket Open(AddressFamily family)
    {
        // One after the other: many connections are made at once, and each must count those before it.
        lock (Opening)
        {
            return HasRoom() ? new ServerSocket(family) : throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
    }

    /// <summary>How many descriptors stay free for files, and for what the runtime loads later.</summary>
    /// <param name="limit">How many the process may have open.</param>
    /// <param name="sockets">How many sockets to servers it has.</param>
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

    // The first one is always tried, as a load needs one.
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
