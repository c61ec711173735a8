using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights.Tests.Loading.Http;

/// <summary>A certificate authority that nobody trusts unless told to.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private byte _serial;

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=Authority " + Guid.NewGuid(), _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Certificate = request.CreateSelfSigned(Now.AddDays(-60), Now.AddDays(60));
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Makes a server's certificate with its key.</summary>
    /// <param name="name">The host name.</param>
    /// <param name="days">For how many days from now; it began 30 days ago.</param>
    public X509Certificate2 Issue(string name, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(Certificate, Now.AddDays(-30), Now.AddDays(days), [1, ++_serial]);
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);

        // Some systems take only a key that was stored.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }
}
