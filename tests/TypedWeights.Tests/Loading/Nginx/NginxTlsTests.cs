using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Nginx;

/// <summary>TLS with an authority that the test made: trusted where it is given, and what is said where something is wrong.</summary>
public sealed class NginxTlsTests : NginxTest, IDisposable
{
    private readonly LocalAuthority _authority = new();

    private HttpOptions Trusting => new() { TrustedRoots = [_authority.Root] };

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_certificate_of_a_configured_root_is_trusted()
    {
        await using NginxServer nginx = await StartAsync(_authority.Issue("127.0.0.1"));

        await AssertLoadsAsync(Secure(nginx), http: Trusting);

        await nginx.WaitForRequestsAsync(4);
        Assert.Equal(NoiseFile.Bytes.Length, nginx.Requests.Sum(request => request.Sent));
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_root_is_an_error_that_names_TrustedRoots()
    {
        await using NginxServer nginx = await StartAsync(_authority.Issue("127.0.0.1"));

        WeightSourceException error = await AssertFailsAsync("certificate.*authority.*TrustedRoots", Secure(nginx));

        Assert.False(error.IsTransient);
        Assert.Empty(nginx.Requests);
    }

    [Fact]
    public async Task A_certificate_of_another_root_than_the_configured_one_is_an_error()
    {
        using var other = new LocalAuthority();
        await using NginxServer nginx = await StartAsync(_authority.Issue("127.0.0.1"));

        await AssertFailsAsync("certificate.*authority", Secure(nginx), http: new() { TrustedRoots = [other.Root] });
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_an_error()
    {
        await using NginxServer nginx = await StartAsync(_authority.Issue("weights.example"));

        await AssertFailsAsync("certificate.*another host", Secure(nginx), http: Trusting);
    }

    [Fact]
    public async Task An_expired_certificate_is_an_error_that_says_so()
    {
        await using NginxServer nginx = await StartAsync(_authority.Issue("127.0.0.1", DateTimeOffset.UtcNow.AddDays(-1)));

        await AssertFailsAsync("certificate.*expired", Secure(nginx), http: Trusting);
    }

    [Fact]
    public async Task TLS_to_a_server_that_speaks_plain_HTTP_is_an_error_that_names_TLS()
    {
        await using NginxServer nginx = await StartAsync();

        await AssertFailsAsync("TLS", Secure(nginx), Quick with { Attempts = 2 });
    }

    private static Task<NginxServer> StartAsync((string Certificate, string Key) pair) => NginxServer.StartAsync(Files, tls: pair);

    private static string Secure(NginxServer nginx) => Uri(nginx).Replace("http://", "https://", StringComparison.Ordinal);
}
