using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights.Bench.Http;

/// <summary>A certificate authority for one run, and its certificate for 127.0.0.1.</summary>
internal static class LocalAuthority
{
    public const string Certificate = "ca.pem";
    public const string ServerCertificate = "server.pem";
    public const string ServerKey = "server.key";

    public static void Write(string folder)
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1);
        DateTimeOffset until = from.AddDays(2);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=TypedWeights benchmark authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        using X509Certificate2 root = authority.CreateSelfSigned(from, until);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using X509Certificate2 server = request.Create(root, from, until, RandomNumberGenerator.GetBytes(8));

        File.WriteAllText(Path.Combine(folder, Certificate), root.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, ServerCertificate), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, ServerKey), key.ExportPkcs8PrivateKeyPem());
    }
}
