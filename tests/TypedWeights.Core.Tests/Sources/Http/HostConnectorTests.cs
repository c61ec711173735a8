using System.Net;
using System.Net.Sockets;
using TypedWeights.Sources.Http;

namespace TypedWeights.Tests.Sources.Http;

/// <summary>A host has several addresses, and not all of them are alive.</summary>
public sealed class HostConnectorTests : IDisposable
{
    private static readonly IPAddress Alive = IPAddress.Loopback;
    private static readonly IPAddress Other = IPAddress.Parse("127.0.0.77");

    private readonly TcpListener _alive = new(Alive, 0);
    private readonly DnsEndPoint _host;

    public HostConnectorTests()
    {
        _alive.Start();
        _host = new DnsEndPoint("two.test", ((IPEndPoint)_alive.LocalEndpoint).Port);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _alive.Dispose();

    [Fact]
    public async Task A_connection_does_not_wait_for_a_dead_first_address()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));

        Assert.Equal(Alive, await ConnectAsync(Connector(Other, Alive)));
    }

    [Fact]
    public async Task A_connection_does_not_wait_for_several_dead_addresses()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));
        using var another = new DeadAddress(new IPEndPoint(IPAddress.Parse("127.0.0.78"), _host.Port));

        Assert.Equal(Alive, await ConnectAsync(Connector(Other, IPAddress.Parse("127.0.0.78"), Alive)));
    }

    [Fact]
    public async Task Later_connections_try_an_address_that_was_dead_last()
    {
        HostConnector connector = Connector(Other, Alive);
        using (new DeadAddress(new IPEndPoint(Other, _host.Port)))
        {
            await ConnectAsync(connector);
        }

        // It is alive now, and would win if it were tried first.
        using var revived = new TcpListener(Other, _host.Port);
        revived.Start();
        Assert.Equal(Alive, await ConnectAsync(connector));

        _alive.Stop();
        Assert.Equal(Other, await ConnectAsync(connector));
    }

    [Fact]
    public async Task The_next_address_is_tried_after_an_address_that_refuses()
    {
        Assert.Equal(Alive, await ConnectAsync(Connector(Other, Alive)));
    }

    [Fact]
    public async Task The_first_address_is_used_if_all_addresses_respond()
    {
        using var other = new TcpListener(Other, _host.Port);
        other.Start();
        HostConnector connector = Connector(Other, Alive);

        Assert.Equal(Other, await ConnectAsync(connector));
        Assert.Equal(Other, await ConnectAsync(connector));
    }

    [Fact]
    public async Task The_error_after_all_addresses_failed_names_the_host_and_each_address_with_its_reason()
    {
        _alive.Stop();

        ConnectException error = await Assert.ThrowsAsync<ConnectException>(() => ConnectAsync(Connector(Other, Alive)));

        string refused = new SocketException((int)SocketError.ConnectionRefused).Message;
        Assert.Equal($"two.test, port {_host.Port} (127.0.0.77: {refused}; 127.0.0.1: {refused})", error.Message);
    }

    [Fact]
    public async Task The_error_after_a_timeout_names_the_addresses_that_did_not_respond()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(TimeSpan.FromMilliseconds(50));

        ConnectException error = await Assert.ThrowsAsync<ConnectException>(() => ConnectAsync(Connector(Other), timeout.Token));

        Assert.Contains("two.test", error.Message, StringComparison.Ordinal);
        Assert.Contains("127.0.0.77: no response in time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IPv4_and_IPv6_addresses_are_tried_in_turn()
    {
        _alive.Stop();

        // Documentation addresses of IPv6, which lead nowhere or cannot even be tried; the refusal of IPv4 comes between them.
        IPAddress first = IPAddress.Parse("::1"), second = IPAddress.Parse("::ffff:0:0:2");
        ConnectException error = await Assert.ThrowsAsync<ConnectException>(() => ConnectAsync(Connector(first, second, Alive)));

        int[] order = [.. new[] { first, Alive, second }.Select(address => error.Message.IndexOf($"{address}:", StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
    }

    [Fact]
    public async Task A_host_name_without_addresses_is_reported_as_not_found()
    {
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(Connector()));

        Assert.Equal(SocketError.HostNotFound, error.SocketErrorCode);
    }

    private static HostConnector Connector(params IPAddress[] addresses) => new((_, _) => Task.FromResult(addresses));

    private async Task<IPAddress> ConnectAsync(HostConnector connector, CancellationToken? token = null)
    {
        using Socket socket = await connector.ConnectAsync(_host, token ?? Token);
        return ((IPEndPoint)socket.RemoteEndPoint!).Address;
    }
}
