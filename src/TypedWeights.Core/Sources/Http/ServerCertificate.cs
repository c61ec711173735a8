using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TypedWeights.Sources.Http;

/// <summary>Checks a server's certificate with the authorities of the machine and the user's own, and describes what is wrong with it.</summary>
/// <param name="roots">Authorities that are trusted in addition to those of the machine.</param>
internal sealed class ServerCertificate(IReadOnlyList<X509Certificate2> roots)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2[] _roots = [.. roots];

    /// <summary>The callback of a TLS connection.</summary>
    /// <exception cref="AuthenticationException">The certificate does not verify; the message says why.</exception>
    public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (certificate is null || chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            throw new CertificateException("the server sent no certificate.");
        }

        var found = certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        if (_roots.Length == 0 || !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            throw Describe(found, chain, errors);
        }

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_roots);
        own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        own.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        own.ChainPolicy.RevocationMode = chain.ChainPolicy.RevocationMode;
        bool isTrusted = own.Build(found);
        return isTrusted && errors == SslPolicyErrors.RemoteCertificateChainErrors
            ? true
            : throw Describe(found, own, isTrusted ? errors & ~SslPolicyErrors.RemoteCertificateChainErrors : errors);
    }

    private static CertificateException Describe(X509Certificate2 certificate, X509Chain chain, SslPolicyErrors errors)
    {
        var faults = new List<string>();
        X509ChainStatusFlags status = errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
            ? chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status)
            : X509ChainStatusFlags.NoError;
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            faults.Add(Period(certificate));
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            faults.Add("was issued for another host name; use that name.");
        }

        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
        {
            faults.Add(
                "is not signed by an authority that this machine trusts; "
                    + "make it trust that one (on Linux the variable SSL_CERT_FILE can name a file of authorities), "
                    + "or give its certificate in HttpOptions.TrustedRoots.");
        }

        return new CertificateException(
            "the server's certificate " + (faults.Count > 0 ? string.Join(" It ", faults) : $"does not verify ({status})."));
    }

    private static string Period(X509Certificate2 certificate)
    {
        DateTime from = certificate.NotBefore.ToUniversalTime();
        DateTime to = certificate.NotAfter.ToUniversalTime();
        string text = string.Create(CultureInfo.InvariantCulture, $"{from:yyyy-MM-dd HH:mm} to {to:yyyy-MM-dd HH:mm} UTC");
        return DateTime.UtcNow > to ? $"has expired: it was valid from {text}." : $"is not valid now ({text}), or its signer is not.";
    }

    /// <summary>Carries the message through the TLS stream to the error.</summary>
    internal sealed class CertificateException(string message) : AuthenticationException(message);
}
