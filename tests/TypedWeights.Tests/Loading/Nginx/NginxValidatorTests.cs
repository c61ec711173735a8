namespace TypedWeights.Tests.Loading.Nginx;

/// <summary>What nginx says of a file's version. It answers 412 to a weak tag in <c>If-Match</c>, and to any where it has none.</summary>
public sealed class NginxValidatorTests : NginxTest
{
    private const string Gzip = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_comp_level 1;";

    [Theory]
    [InlineData("etag off;")]
    [InlineData("etag off; add_header ETag 'W/\"a-weak-one\"';")]
    [InlineData("etag off; add_header Last-Modified '';")]
    public async Task A_file_without_a_strong_ETag_loads_without_If_Match(string server)
    {
        await using NginxServer nginx = await StartAsync(server);

        await AssertLoadsAsync(Uri(nginx));

        await nginx.WaitForRequestsAsync(4);
        Assert.All(nginx.Requests, request => Assert.Equal((206, "-"), (request.Status, request.IfMatch)));
    }

    [Fact]
    public async Task Every_request_to_a_compressing_server_accepts_only_identity_encoding()
    {
        await using NginxServer nginx = await StartAsync(Gzip);

        await AssertLoadsAsync(Uri(nginx));

        await nginx.WaitForRequestsAsync(4);
        Assert.All(nginx.Requests, request => Assert.Equal((206, "identity"), (request.Status, request.AcceptEncoding)));
        Assert.DoesNotContain(nginx.Requests, request => request.IfMatch.StartsWith("W/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_response_that_a_proxy_compressed_unasked_is_an_error()
    {
        // The server in front asks the one behind for gzip, whatever the client wants.
        await using NginxServer behind = await StartAsync(Gzip);
        await using NginxServer front = await StartAsync(
            $"location / {{ proxy_pass {behind.Address}; proxy_set_header Accept-Encoding gzip; proxy_http_version 1.1; }}");

        await AssertFailsAsync("compressed.*gzip", Uri(front));

        Assert.All(behind.Requests, request => Assert.Equal("-", request.IfMatch));
    }
}
