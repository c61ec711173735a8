using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Connects to hosts that may have several addresses, some of them dead, as browsers do (RFC 8305): each address gets a short head start
/// before the next one is tried beside it, and the first connection wins. Addresses that failed or lost are tried last from then on.
/// </summary>
/// <param name="resolve">Finds the addresses of a host name, the preferred one first.</param>
internal sealed class HostConnector(Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<IPEndPoint, bool> _failed = new();

    /// <summary>Asks the system for the addresses.</summary>
    public HostConnector()
        : this(Dns.GetHostAddressesAsync)
    {
    }

    /// <summary>Makes a connection.</summary>
    /// <param name="host">A host name or an address, and the port.</param>
    /// <param name="cancellationToken">Ends all attempts.</param>
    /// <exception cref="SocketException">The name does not resolve, or this process may not have another socket open.</exception>
    /// <exception cref="ConnectException">No address took the connection, or not in time.</exception>
    public async ValueTask<Socket> ConnectAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        IPEndPoint[] places = InOrder(await ResolveAsync(host, cancellationToken).ConfigureAwait(false), host.Port);
        var attempts = new List<Attempt>(places.Length);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                if (attempts.Count < places.Length)
                {
                    attempts.Add(new Attempt(places[attempts.Count], stop.Token));
                }

                await WaitAsync(attempts, hasNext: attempts.Count < places.Length, stop.Token).ConfigureAwait(false);
                if (attempts.Find(attempt => attempt.HasConnected) is { } winner)
                {
                    Remember(attempts, winner);
                    return winner.Take();
                }

                bool haveAllFailed = attempts.Count == places.Length && attempts.TrueForAll(attempt => attempt.HasFailed);
                if (haveAllFailed || cancellationToken.IsCancellationRequested)
                {
                    // All are alike again: what is tried first next time is what the system prefers.
                    Array.ForEach(places, place => _failed.TryRemove(place, out _));
                    throw Failure(host, attempts, places);
                }
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            attempts.ForEach(attempt => attempt.Drop());
        }
    }

    private async Task<IPAddress[]> ResolveAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        try
        {
            IPAddress[] addresses = await resolve(host.Host, cancellationToken).ConfigureAwait(false);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (SocketException) when (OpenFileLimit.CountLeft() < 4)
        {
            // Names are looked up in files and over sockets, and without them none resolves.
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new ConnectException($"the name {host.Host} was not resolved in time", e);
        }
    }

    // The families take turns, as often all addresses of one of them are dead, and what failed before comes last.
    private IPEndPoint[] InOrder(IPAddress[] addresses, int port)
    {
        AddressFamily preferred = addresses[0].AddressFamily;
        return
        [
            .. addresses.Distinct()
                .GroupBy(address => address.AddressFamily)
                .SelectMany(family => family.Select((address, turn) => (Place: new IPEndPoint(address, port), Turn: turn)))
                .OrderBy(item => _failed.ContainsKey(item.Place))
                .ThenBy(item => item.Turn)
                .ThenBy(item => item.Place.AddressFamily != preferred)
                .Select(item => item.Place),
        ];
    }

    // Until one has connected, or the next one is to be tried: when the last one has failed, or has had its head start.
    private static async Task WaitAsync(List<Attempt> attempts, bool hasNext, CancellationToken stop)
    {
        List<Task> ends = [.. attempts.Where(attempt => !attempt.HasFailed).Select(attempt => attempt.End)];
        if (hasNext)
        {
            ends.Add(attempts[^1].End);
            ends.Add(Task.Delay(HeadStart, stop));
        }

        if (ends.Count > 0)
        {
            await Task.WhenAny(ends).ConfigureAwait(false);
        }
    }

    private void Remember(List<Attempt> attempts, Attempt winner)
    {
        _failed.TryRemove(winner.Place, out _);
        foreach (Attempt loser in attempts.TakeWhile(attempt => attempt != winner))
        {
            _failed[loser.Place] = true;
        }
    }

    private static Exception Failure(DnsEndPoint host, List<Attempt> attempts, IPEndPoint[] places)
    {
        if (attempts.Find(attempt => OpenFileLimit.IsReached(attempt.Error)) is { } limited)
        {
            return limited.Error!;
        }

        IEnumerable<string> tried = attempts.Select(attempt => $"{attempt.Place.Address}: {attempt.Error?.Message ?? "no answer in time"}");
        IEnumerable<string> untried = places.Skip(attempts.Count).Select(place => $"{place.Address}: not tried in time");
        return new ConnectException(
            $"{host.Host}, port {host.Port} ({string.Join("; ", tried.Concat(untried))})",
            attempts.Find(attempt => attempt.Error is not null)?.Error);
    }

    /// <summary>A connection to one address that is being made.</summary>
    private sealed class Attempt
    {
        private readonly Task<Socket> _socket;
        private bool _isTaken;

        public Attempt(IPEndPoint place, CancellationToken stop)
        {
            Place = place;
            _socket = ConnectAsync(place, stop);
        }

        public IPEndPoint Place { get; }

        public Task End => _socket;

        public bool HasConnected => _socket.IsCompletedSuccessfully;

        public bool HasFailed => _socket.IsFaulted || _socket.IsCanceled;

        public Exception? Error => _socket.Exception?.InnerException;

        public Socket Take()
        {
            _isTaken = true;
            return _socket.Result;
        }

        // Also one that connects after another has won.
        public void Drop()
        {
            if (!_isTaken)
            {
                _socket.ContinueWith(
                    static socket =>
                    {
                        if (socket.IsCompletedSuccessfully)
                        {
                            socket.Result.Dispose();
                        }

                        // Looked at, or it would count as one that nobody has noticed.
                        _ = socket.Exception;
                    },
                    TaskScheduler.Default);
            }
        }

        private static async Task<Socket> ConnectAsync(IPEndPoint place, CancellationToken stop)
        {
            Socket socket = ServerSocket.Open(place.AddressFamily);
            try
            {
                await socket.ConnectAsync(place, stop).ConfigureAwait(false);
                return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}

/// <summary>A host to which there is no connection; the message says which addresses were tried and how each failed.</summary>
internal sealed class ConnectException(string message, Exception? innerException) : IOException(message, innerException);
