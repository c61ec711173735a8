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

    public RawServer(byte[] file)
    {
        _file = file;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Answers a request: true when it has, and the connection then ends; false for the way of a faultless server.</summary>
    public Func<RawConnection, CancellationToken, Task<bool>> Answer { get; set; } = static (_, _) => Task.FromResult(false);

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
        try
        {
            using (socket)
            {
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
            Interlocked.Decrement(ref _open);
        }
    }
}
