using System.Net;
using System.Net.Sockets;

namespace TypedWeights.Tests;

/// <summary>Two ends of one connection over the loopback.</summary>
internal static class SocketPair
{
    public static async Task<(Socket Server, Socket Client)> ConnectAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndpoint, cancellationToken);
        return (await listener.AcceptSocketAsync(cancellationToken), client);
    }
}
