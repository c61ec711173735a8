using System.Net.Sockets;
using TypedWeights.Sources.Http;

namespace TypedWeights.Tests.Loading.Http;

public sealed class ReadAheadStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_arrive_in_order_for_reads_of_any_size()
    {
        (Socket server, Socket client) = await SocketPair.ConnectAsync(Token);
        using (server)
        {
            await using var stream = new ReadAheadStream(client);
            byte[] sent = HttpFile.Noise((3 * ReadAheadStream.Size) + 12_345);
            Task sending = SendAsync(server, sent);
            var random = new Random(1);
            byte[] received = new byte[sent.Length];
            for (int filled = 0; filled < sent.Length;)
            {
                // Now and then more than is ever read ahead, as TLS asks for records and HTTP, in the clear, for bodies.
                int most = random.Next(10) == 0 ? 2 * ReadAheadStream.Size : random.Next(1, 20_000);
                Memory<byte> next = received.AsMemory(filled, Math.Min(most, sent.Length - filled));
                filled += random.Next(4) == 0 ? stream.Read(next.Span) : await stream.ReadAsync(next, Token);
            }

            await sending;
            Assert.True(received.AsSpan().SequenceEqual(sent));
            server.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, await stream.ReadAsync(received, Token));
        }
    }

    [Fact]
    public async Task A_read_returns_the_available_bytes_without_waiting_for_more()
    {
        (Socket server, Socket client) = await SocketPair.ConnectAsync(Token);
        using (server)
        {
            await using var stream = new ReadAheadStream(client);
            byte[] buffer = new byte[100];
            Task<int> first = stream.ReadAsync(buffer, Token).AsTask();
            await server.SendAsync(new byte[] { 1, 2, 3 }, SocketFlags.None, Token);
            Assert.Equal(3, await first);

            // A read of nothing takes nothing: it returns when there is something.
            await server.SendAsync(new byte[] { 4, 5 }, SocketFlags.None, Token);
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, Token));
            Assert.Equal(1, await stream.ReadAsync(buffer.AsMemory(0, 1), Token));
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, Token));
            Assert.Equal((1, 5), (await stream.ReadAsync(buffer, Token), buffer[0]));
        }
    }

    [Fact]
    public async Task A_disposed_stream_keeps_its_memory_until_the_running_read_returns()
    {
        (Socket server, Socket client) = await SocketPair.ConnectAsync(Token);
        using Socket _ = server;
        var stream = new HeldStream(client);
        byte[] buffer = new byte[10];
        Task<int> read = stream.ReadAsync(buffer, Token).AsTask();

        await stream.DisposeAsync();

        // A late write, as a cancelled system call may do.
        stream.Give(7);
        Assert.Equal((1, 7), (await read, buffer[0]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(buffer, Token).AsTask());
        Assert.Throws<ObjectDisposedException>(() => stream.Read(buffer));
    }

    private static async Task SendAsync(Socket server, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await server.SendAsync(bytes.AsMemory(sent), SocketFlags.None, Token);
        }
    }

    // Its read returns when the test says so, even after the stream has been disposed.
    private sealed class HeldStream(Socket socket) : ReadAheadStream(socket)
    {
        private readonly TaskCompletionSource<byte> _given = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Give(byte value) => _given.SetResult(value);

        protected override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            byte value = await _given.Task;
            buffer.Span[0] = value;
            return 1;
        }
    }
}
