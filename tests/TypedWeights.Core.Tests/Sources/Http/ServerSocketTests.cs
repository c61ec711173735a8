using System.Net.Sockets;
using TypedWeights.Sources.Http;

namespace TypedWeights.Tests.Sources.Http;

public class ServerSocketTests
{
    [Theory]
    [InlineData(128, 20, 32)]
    [InlineData(1024, 20, 256)]
    [InlineData(20_000, 20, 256)]
    [InlineData(40, 20, 16)]
    public void Many_sockets_leave_a_quarter_of_the_descriptor_limit_to_files(long limit, int sockets, long kept) =>
        Assert.Equal(kept, ServerSocket.Kept(limit, sockets));

    [Fact]
    public void The_first_few_sockets_may_use_more_than_their_share_of_the_descriptor_limit() => Assert.Equal(16, ServerSocket.Kept(256, sockets: 7));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_error_of_a_process_out_of_sockets_names_the_remedy_and_is_transient(bool isThroughProxy)
    {
        var failure = new HttpRequestException(
            HttpRequestError.ConnectionError, "no connection", new SocketException((int)SocketError.TooManyOpenSockets));

        using var request = new HttpRequestMessage(HttpMethod.Get, "https://host/m.safetensors");

        Uri? proxy = isThroughProxy ? new Uri("http://proxy:3128") : null;
        WeightSourceException error = TransportFailure.Of(failure, "https://host/m.safetensors", proxy, request);

        Assert.Contains("ulimit -n", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
        Assert.True(error.IsUnserved);
    }
}
