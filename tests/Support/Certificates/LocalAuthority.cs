using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights.Tests;

/// <summary>A certificate authority that lives as long as its test, and is trusted by nobody who was not given its root.</summary>
internal sealed class LocalAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    public LocalAuthority()
    {
        var request = new CertificateRequest($"CN=TypedWeights test authority {Guid.NewGuid():N}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>The root without its key.</summary>
    public X509Certificate2 Root => X509CertificateLoader.LoadCertificate(_root.RawData);

    /// <summary>Issues a certificate for a server.</summary>
    /// <param name="host">A name or an IP address.</param>
    /// <param name="end">The last moment at which it holds; null for tomorrow.</param>
    /// <returns>PEM texts of certificate and key.</returns>
    public (string Certificate, string Key) Issue(string host, DateTimeOffset? end = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using X509Certificate2 issued = request.Create(
            _root, DateTimeOffset.UtcNow.AddDays(-20), end ?? DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return (issued.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
    }
}
