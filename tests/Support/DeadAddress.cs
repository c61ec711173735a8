using System.Net;
using System.Net.Sockets;

namespace TypedWeights.Tests;

/// <summary>An address that drops what is sent to it, as a machine that is gone does: a listener whose queue is full.</summary>
internal sealed class DeadAddress : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queue = [];

    public DeadAddress(IPEndPoint place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux drops what does not fit into a listener's queue.");
        _listener.Bind(place);
        _listener.Listen(0);
        for (int i = 0; i < 4; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _queue.Add(socket);
            try
            {
                socket.Connect(place);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // It is under way, for the first ones until they are in the queue.
            }
        }
    }

    public void Dispose()
    {
        _queue.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
