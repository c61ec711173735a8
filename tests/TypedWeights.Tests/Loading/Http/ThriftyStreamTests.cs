using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using TypedWeights.Sources;
using TypedWeights.Sources.Http;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Tests.Loading.Http;

[SupportedOSPlatform("linux")]
public sealed class ThriftyStreamTests
{
    private const int SolSocket = 1;
    private const int SoRcvLowAt = 18;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fast_connection_is_read_in_larger_blocks_until_it_slows_down()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SO_RCVLOWAT wakes a poll as it should on Linux alone");
        (Socket server, Socket client) = await SocketPair.ConnectAsync(Token);
        using (server)
        {
            await using var stream = new ThriftyStream(client);
            ThriftyStream.Expect(long.MaxValue);
            await stream.WriteAsync(new byte[] { 1 }, Token);
            byte[] piece = HttpFile.Noise(1 << 20);
            byte[] received = new byte[piece.Length];
            int awaited = 1;
            for (int round = 0; awaited == 1; round++)
            {
                Assert.True(round < 1000, "a thousand pieces were not fast enough");
                await PassAsync(piece);
                awaited = Awaited(client);
            }

            Assert.InRange(awaited, 32 << 10, 512 << 10);
            for (byte i = 1; i < 5; i++)
            {
                Task<int> read = stream.ReadAsync(received, Token).AsTask();
                await server.SendAsync(new[] { i }, SocketFlags.None, Token);
                Assert.Equal((1, i), (await read.WaitAsync(TimeSpan.FromMinutes(2), Token), received[0]));
            }

            // The reader waits first, so that there is something to learn from.
            async Task PassAsync(byte[] sent)
            {
                Task<int> first = stream.ReadAsync(received, Token).AsTask();
                Task<int> sending = server.SendAsync(sent, SocketFlags.None, Token).AsTask();
                for (int filled = await first; filled < sent.Length;)
                {
                    filled += await stream.ReadAsync(received.AsMemory(filled), Token);
                }

                await sending;
                Assert.True(received.AsSpan().SequenceEqual(sent));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_ranges_over_few_connections_arrive_complete(bool isSecure)
    {
        byte[] bytes = HttpFile.Noise(48 << 20);
        using TestAuthority authority = new();
        await using FileServer server = await FileServer.StartAsync(isSecure ? authority.Issue("localhost", 30) : null);
        server.Files["/f.bin"] = bytes;
        await using var provider = new UrlProvider(new HttpOptions { TrustedRoots = [authority.Certificate] });
        await using IWeightSource source =
            await provider.OpenAsync(server.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) + "/f.bin");

        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is int i && i < 12)
            {
                byte[] part = await source.ReadAsync((long)i << 22, 4 << 20);
                Assert.True(part.AsSpan().SequenceEqual(bytes.AsSpan(i << 22, 4 << 20)), $"part {i}");
            }
        }));
    }

    private static int Awaited(Socket socket)
    {
        byte[] value = new byte[4];
        socket.GetRawSocketOption(SolSocket, SoRcvLowAt, value);
        return BitConverter.ToInt32(value);
    }
}
