using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TypedWeights.Sources;
using TypedWeights.Sources.Http;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class CertificateTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly byte[] _bytes = HttpFile.Noise(50_000);
    private readonly X509Certificate2 _authority = Authority("CN=Test authority");
    private readonly X509Certificate2 _stranger = Authority("CN=Another authority");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task A_server_of_an_own_authority_is_read_when_that_is_trusted()
    {
        await using FileServer server = await StartAsync("localhost", 30);
        await using var provider = new HttpSourceProvider(new HttpSourceOptions { TrustedRoots = [_stranger, _authority] });

        await using IWeightSource source = await provider.OpenAsync(Url(server));

        Assert.Equal(_bytes[100..30_000], await source.ReadAsync(100, 29_900));
    }

    [Theory]
    [InlineData("localhost", 30, false, "HttpSourceOptions.TrustedRoots")]
    [InlineData("localhost", -1, true, "has expired")]
    [InlineData("localhost", -1, false, "has expired")]
    [InlineData("elsewhere.test", 30, true, "another host name")]
    [InlineData("elsewhere.test", 30, false, "another host name")]
    public async Task A_certificate_that_does_not_verify_is_explained(string name, int days, bool isTrusted, string expected)
    {
        await using FileServer server = await StartAsync(name, days);
        await using var provider = new HttpSourceProvider(
            new HttpSourceOptions { TrustedRoots = isTrusted ? [_authority] : [_stranger] });

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
        await using var provider = new HttpSourceProvider(new HttpSourceOptions { TrustedRoots = [_authority] });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url(server)));

        Assert.Contains("from https to http", error.Message, Ordinal);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task What_speaks_no_TLS_is_named()
    {
        await using FileServer plain = await FileServer.StartAsync();
        await using var provider = new HttpSourceProvider();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => provider.OpenAsync(plain.Address.Replace("http://", "https://", Ordinal) + "/f.bin"));

        Assert.Contains("no TLS connection", error.Message, Ordinal);
    }

    private static string Url(FileServer server) => server.Address.Replace("127.0.0.1", "localhost", Ordinal) + "/f.bin";

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(Now.AddDays(-60), Now.AddDays(60));
    }

    private async Task<FileServer> StartAsync(string name, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_authority, Now.AddDays(-30), Now.AddDays(days), [1, 2, 3, (byte)(days & 63)]);
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);

        // Kestrel on some systems takes only a key that was stored.
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        FileServer server = await FileServer.StartAsync(certificate);
        server.Files["/f.bin"] = _bytes;
        Assert.Equal(IPAddress.Loopback.ToString(), new Uri(server.Address).Host);
        return server;
    }
}
