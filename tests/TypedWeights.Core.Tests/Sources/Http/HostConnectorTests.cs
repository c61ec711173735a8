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
    public async Task A_dead_first_address_is_not_waited_for()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));

        Assert.Equal(Alive, await ConnectAsync(Connector(Other, Alive)));
    }

    [Fact]
    public async Task Nor_are_several()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));
        using var another = new DeadAddress(new IPEndPoint(IPAddress.Parse("127.0.0.78"), _host.Port));

        Assert.Equal(Alive, await ConnectAsync(Connector(Other, IPAddress.Parse("127.0.0.78"), Alive)));
    }

    [Fact]
    public async Task What_was_dead_is_tried_last_by_later_connections()
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
    public async Task An_address_that_refuses_is_followed_by_the_next()
    {
        Assert.Equal(Alive, await ConnectAsync(Connector(Other, Alive)));
    }

    [Fact]
    public async Task Where_all_are_alive_the_preferred_one_is_used()
    {
        using var other = new TcpListener(Other, _host.Port);
        other.Start();
        HostConnector connector = Connector(Other, Alive);

        Assert.Equal(Other, await ConnectAsync(connector));
        Assert.Equal(Other, await ConnectAsync(connector));
    }

    [Fact]
    public async Task When_all_fail_the_error_names_the_host_the_addresses_and_the_reasons()
    {
        _alive.Stop();

        ConnectException error = await Assert.ThrowsAsync<ConnectException>(() => ConnectAsync(Connector(Other, Alive)));

        string refused = new SocketException((int)SocketError.ConnectionRefused).Message;
        Assert.Equal($"two.test, port {_host.Port} (127.0.0.77: {refused}; 127.0.0.1: {refused})", error.Message);
    }

    [Fact]
    public async Task When_the_time_is_over_it_names_those_that_did_not_answer()
    {
        using var dead = new DeadAddress(new IPEndPoint(Other, _host.Port));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(TimeSpan.FromMilliseconds(50));

        ConnectException error = await Assert.ThrowsAsync<ConnectException>(() => ConnectAsync(Connector(Other), timeout.Token));

        Assert.Contains("two.test", error.Message, StringComparison.Ordinal);
        Assert.Contains("127.0.0.77: no answer in time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_families_of_addresses_take_turns()
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
    public async Task A_name_without_addresses_does_not_resolve()
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
