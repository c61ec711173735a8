using System.Net;
using System.Net.Sockets;

namespace TypedWeights.Tests;

/// <summary>A server of bare sockets, for what no web server does: garbage, resets, heads without bodies, bytes one by one.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly byte[] _file;
    private readonly Task _accepting;
    private int _requests;
    private int _open;
    private int _turnedAway;

    public RawServer(byte[] file)
    {
        _file = file;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Answers a request: true when it has, and the connection then ends; false for the way of a faultless server.</summary>
    public Func<RawConnection, CancellationToken, Task<bool>> Answer { get; set; } = static (_, _) => Task.FromResult(false);

    /// <summary>How many connections are served at once, each until it is closed, as by a server with so many workers; null for all.</summary>
    public SemaphoreSlim? Workers { get; init; }

    /// <summary>What happens to a connection for which there is no worker; null lets it wait for one.</summary>
    public Action<Socket>? TurnAway { get; init; }

    /// <summary>How many connections were turned away.</summary>
    public int TurnedAway => Volatile.Read(ref _turnedAway);

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>How many requests came.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Returns when every connection has ended; fails when that takes too long.</summary>
    public Task WaitUntilDisconnectedAsync() => Eventually.BecomesAsync(
        () => Volatile.Read(ref _open) == 0, () => $"{Volatile.Read(ref _open)} connections are still open");

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting;
        await WaitUntilDisconnectedAsync();
        _listener.Dispose();
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_closing.Token);
                Interlocked.Increment(ref _open);
                _ = Task.Run(() => ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        bool hasWorker = false;
        try
        {
            using (socket)
            {
                hasWorker = Workers is not null
                    && await Workers.WaitAsync(TurnAway is null ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, _closing.Token);
                if (Workers is not null && !hasWorker)
                {
                    Interlocked.Increment(ref _turnedAway);
                    TurnAway!(socket);
                    return;
                }

                socket.NoDelay = true;
                var connection = new RawConnection(socket, _file);
                while (await connection.ReadRequestAsync(_closing.Token))
                {
                    connection.Index = Interlocked.Increment(ref _requests) - 1;
                    if (!await Answer(connection, _closing.Token))
                    {
                        await connection.ServeAsync(_closing.Token);
                    }
                    else
                    {
                        return;
                    }
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side has gone.
        }
        finally
        {
            if (hasWorker)
            {
                Workers!.Release();
            }

            Interlocked.Decrement(ref _open);
        }
    }
}
