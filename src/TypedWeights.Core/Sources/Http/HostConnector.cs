using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Connects to hosts that may have several addresses, some of them dead, as browsers do (RFC 8305): each address gets a short head start
/// before the next one is tried beside it, and the first connection wins. Addresses that failed or lost are tried last from then on.
/// </summary>
/// <param name="resolve">Finds the addresses of a host name, the preferred one first; null for the system's resolver.</param>
internal sealed class HostConnector(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;
    private readonly ConcurrentDictionary<IPEndPoint, bool> _failed = new();

    /// <summary>Makes a connection.</summary>
    /// <param name="host">A host name or an address, and the port.</param>
    /// <param name="cancellationToken">Ends all attempts.</param>
    /// <exception cref="SocketException">The name does not resolve, or this process may not open another socket.</exception>
    /// <exception cref="ConnectException">No address accepted the connection, or not in time.</exception>
    public async ValueTask<Socket> ConnectAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        IPEndPoint[] endPoints = InOrder(await ResolveAsync(host, cancellationToken).ConfigureAwait(false), host.Port);
        var attempts = new List<Task<Socket>>(endPoints.Length);
        Task<Socket>? winner = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            bool haveAllFailed = false;
            while (winner is null && !haveAllFailed && !stop.IsCancellationRequested)
            {
                if (attempts.Count < endPoints.Length)
                {
                    attempts.Add(ConnectAsync(endPoints[attempts.Count], stop.Token));
                }

                // Until an attempt connects or fails, or the last one has had its head start.
                List<Task> pending = [.. attempts.Where(static attempt => !attempt.IsCompleted)];
                if (attempts.Count < endPoints.Length)
                {
                    pending.Add(attempts[^1].IsCompleted ? Task.CompletedTask : Task.Delay(HeadStart, stop.Token));
                }

                if (pending.Count > 0)
                {
                    await Task.WhenAny(pending).ConfigureAwait(false);
                }

                winner = attempts.Find(static attempt => attempt.IsCompletedSuccessfully);
                haveAllFailed = attempts.Count == endPoints.Length && attempts.TrueForAll(static attempt => attempt.IsCompleted);
            }

            if (winner is null)
            {
                // The next connection tries them in the system's order again.
                Array.ForEach(endPoints, endPoint => _failed.TryRemove(endPoint, out _));
                throw Failure(host, endPoints, attempts);
            }

            int index = attempts.IndexOf(winner);
            _failed.TryRemove(endPoints[index], out _);
            Array.ForEach(endPoints[..index], loser => _failed[loser] = true);
            return winner.Result;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            attempts.Where(attempt => attempt != winner).ToList().ForEach(Drop);
        }
    }

    private async Task<IPAddress[]> ResolveAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        try
        {
            IPAddress[] addresses = await _resolve(host.Host, cancellationToken).ConfigureAwait(false);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (SocketException) when (OpenFileLimit.CountLeft() < 4)
        {
            // Names are looked up in files and over sockets: without descriptors, no name resolves.
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new ConnectException($"the name {host.Host} was not resolved in time", e);
        }
    }

    // IPv4 and IPv6 take turns, because often all addresses of one of them are dead. Addresses that failed before come last.
    private IPEndPoint[] InOrder(IPAddress[] addresses, int port) =>
    [
        .. addresses.Distinct()
            .GroupBy(address => address.AddressFamily)
            .SelectMany(family => family.Select((address, turn) => (EndPoint: new IPEndPoint(address, port), Turn: turn)))
            .OrderBy(item => _failed.ContainsKey(item.EndPoint))
            .ThenBy(item => item.Turn)
            .ThenBy(item => item.EndPoint.AddressFamily != addresses[0].AddressFamily)
            .Select(item => item.EndPoint),
    ];

    private static async Task<Socket> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        Socket socket = ServerSocket.Open(endPoint.AddressFamily);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // An attempt may still connect after another one has won. Its exception is observed.
    private static void Drop(Task<Socket> attempt) => attempt.ContinueWith(
        static task => (task.Exception is null && !task.IsCanceled ? task.Result : null)?.Dispose(), TaskScheduler.Default);

    private static Exception Failure(DnsEndPoint host, IPEndPoint[] endPoints, List<Task<Socket>> attempts)
    {
        Exception?[] errors = [.. attempts.Select(static attempt => attempt.Exception?.InnerException)];
        if (Array.Find(errors, OpenFileLimit.IsReached) is { } limited)
        {
            return limited;
        }

        IEnumerable<string> results = endPoints.Select((endPoint, i) => $"{endPoint.Address}: "
            + (i >= errors.Length ? "not tried in time" : errors[i]?.Message ?? "no response in time"));
        return new ConnectException(
            $"{host.Host}, port {host.Port} ({string.Join("; ", results)})", Array.Find(errors, static error => error is not null));
    }
}

/// <summary>No connection to a host; the message lists the addresses that were tried and how each failed.</summary>
internal sealed class ConnectException(string message, Exception? innerException) : IOException(message, innerException);

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
