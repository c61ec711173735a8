using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class CertificateTests : IDisposable
{
    private readonly byte[] _bytes = HttpFile.Noise(50_000);
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _stranger = new();

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task A_server_with_a_custom_authority_is_read_when_that_is_trusted()
    {
        await using FileServer server = await StartAsync("localhost", 30);
        await using var provider = new UrlProvider(
            new HttpOptions { TrustedRoots = [_stranger.Certificate, _authority.Certificate] });

        await using IWeightSource source = await provider.OpenAsync(Url(server));

        Assert.Equal(_bytes[100..30_000], await source.ReadAsync(100, 29_900));
    }

    [Theory]
    [InlineData("localhost", 30, false, "HttpOptions.TrustedRoots")]
    [InlineData("localhost", -1, true, "has expired")]
    [InlineData("localhost", -1, false, "has expired")]
    [InlineData("elsewhere.test", 30, true, "another host name")]
    [InlineData("elsewhere.test", 30, false, "another host name")]
    public async Task The_error_says_why_a_certificate_does_not_verify(string name, int days, bool isTrusted, string expected)
    {
        await using FileServer server = await StartAsync(name, days);
        await using var provider = new UrlProvider(
            new HttpOptions { TrustedRoots = isTrusted ? [_authority.Certificate] : [_stranger.Certificate] });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url(server)));

        Assert.Contains(expected, error.Message, Ordinal);
        Assert.Equal(!isTrusted, error.Message.Contains("TrustedRoots", Ordinal));
        Assert.False(error.IsTransient);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_redirect_from_https_to_http_is_refused()
    {
        await using FileServer plain = await FileServer.StartAsync();
        plain.Files["/f.bin"] = _bytes;
        await using FileServer server = await StartAsync("localhost", 30);
        server.Intercept = context => HttpFile.Redirect(context, plain.Address + "/f.bin");
        await using var provider = new UrlProvider(new HttpOptions { TrustedRoots = [_authority.Certificate] });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url(server)));

        Assert.Contains("from https to http", error.Message, Ordinal);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task A_server_without_TLS_is_an_error_that_says_so()
    {
        await using FileServer plain = await FileServer.StartAsync();
        await using var provider = new UrlProvider();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => provider.OpenAsync(plain.Address.Replace("http://", "https://", Ordinal) + "/f.bin"));

        Assert.Contains("no TLS connection", error.Message, Ordinal);
    }

    private static string Url(FileServer server) => server.Address.Replace("127.0.0.1", "localhost", Ordinal) + "/f.bin";

    private async Task<FileServer> StartAsync(string name, int days)
    {
        FileServer server = await FileServer.StartAsync(_authority.Issue(name, days));
        server.Files["/f.bin"] = _bytes;
        return server;
    }
}
