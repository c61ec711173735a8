using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>
/// Stands in for Google's token endpoints, which Google's own library asks: it checks the signature of a service account's JWT, a user's
/// refresh token, the flavor of a request to the metadata server, and the token of who impersonates.
/// </summary>
internal sealed class TokenFixture : IAsyncDisposable
{
    public const string Email = "loader@project.iam.gserviceaccount.com";
    public const string RefreshToken = "1//refresh-s3cret";
    public const string ClientSecret = "client-s3cret";
    public const string Impersonated = "models@project.iam.gserviceaccount.com";

    private readonly RSA _key = RSA.Create(2048);
    private readonly FileServer _server;
    private readonly List<(string Token, string Kind)> _issued = [];
    private readonly HashSet<string> _revoked = [];

    private TokenFixture(FileServer server)
    {
        _server = server;
        server.Intercept = AnswerAsync;
    }

    public string Address => _server.Address;

    /// <summary>Whether the accounts have been taken away.</summary>
    public bool Refuses { get; set; }

    /// <summary>How it came to each token: <c>jwt</c>, <c>refresh</c>, <c>metadata</c>, <c>source</c> and <c>impersonation</c>.</summary>
    public IReadOnlyList<string> Kinds
    {
        get
        {
            lock (_issued)
            {
                return [.. _issued.Select(static token => token.Kind)];
            }
        }
    }

    /// <summary>A service account's key file.</summary>
    public string KeyFile => JsonSerializer.Serialize(new Dictionary<string, string>
    {
        ["type"] = "service_account",
        ["project_id"] = "project",
        ["private_key_id"] = "1",
        ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = Email,
        ["client_id"] = "1",
        ["token_uri"] = Address + "/token",
    });

    /// <summary>What <c>gcloud auth application-default login</c> writes.</summary>
    public static string UserFile => JsonSerializer.Serialize(new Dictionary<string, string>
    {
        ["type"] = "authorized_user",
        ["client_id"] = "client",
        ["client_secret"] = ClientSecret,
        ["refresh_token"] = RefreshToken,
        ["quota_project_id"] = "quota-project",
    });

    /// <summary>What it writes for a service account that is impersonated.</summary>
    public string ImpersonationFile => $$"""
        {
          "type": "impersonated_service_account",
          "service_account_impersonation_url": "{{Address}}/v1/projects/-/serviceAccounts/{{Impersonated}}:generateAccessToken",
          "source_credentials": {{KeyFile}}
        }
        """;

    /// <summary>The lines of the key, none of which any text may hold.</summary>
    public IEnumerable<string> Secrets => _key.ExportPkcs8PrivateKeyPem().Split('\n')
        .Where(static line => line.Length > 40).Concat([RefreshToken, ClientSecret]);

    /// <param name="certificate">For HTTPS; null for HTTP.</param>
    public static async Task<TokenFixture> StartAsync(X509Certificate2? certificate = null) => new(await FileServer.StartAsync(certificate));

    /// <summary>
    /// Whether a request's <c>Authorization</c> is a token that still holds, and of which kind. Other clouds of Google's take what the key signed
    /// itself (<c>self-signed</c>).
    /// </summary>
    public string? KindOf(string? authorization)
    {
        if (authorization?.StartsWith("Bearer ey", StringComparison.Ordinal) == true)
        {
            return KindOfAssertion(authorization["Bearer ".Length..], audience: null) == "jwt" ? "self-signed" : null;
        }

        lock (_issued)
        {
            return _issued.Where(token => authorization == "Bearer " + token.Token && !_revoked.Contains(token.Token))
                .Select(static token => token.Kind).FirstOrDefault();
        }
    }

    /// <summary>Takes all tokens back that were issued so far.</summary>
    public void Revoke()
    {
        lock (_issued)
        {
            _revoked.UnionWith(_issued.Select(static token => token.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path;
        bool isGoogle = context.Request.Headers["Metadata-Flavor"] == "Google";
        context.Response.Headers["Metadata-Flavor"] = "Google";
        if (path == "/token" && context.Request.Method == "POST")
        {
            IFormCollection form = await context.Request.ReadFormAsync();
            string? kind = form["grant_type"] == "refresh_token"
                ? form["refresh_token"] == RefreshToken && form["client_secret"] == ClientSecret ? "refresh" : null
                : KindOfAssertion(form["assertion"].ToString(), "https://oauth2.googleapis.com/token");
            await (kind is null || Refuses
                ? RefuseAsync(context, "invalid_grant", "Invalid JWT Signature.")
                : context.Response.WriteAsJsonAsync(Issue(kind)));
        }
        else if (path.EndsWith(":generateAccessToken", StringComparison.Ordinal))
        {
            bool isAllowed = path.Contains(Impersonated, StringComparison.Ordinal) && KindOf(context.Request.Headers.Authorization) == "source";
            await (isAllowed
                ? context.Response.WriteAsJsonAsync(new
                {
                    accessToken = Issue("impersonation")["access_token"],
                    expireTime = DateTimeOffset.UtcNow.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                })
                : RefuseAsync(context, "PERMISSION_DENIED", "no"));
        }
        else if (path == "/computeMetadata/v1/instance/service-accounts/default/token" && isGoogle)
        {
            await context.Response.WriteAsJsonAsync(Issue("metadata"));
        }
        else
        {
            // The metadata server's greeting; the domain of the cloud is the usual one where it does not say.
            context.Response.StatusCode = path == "/" && isGoogle ? 200 : 404;
        }

        return true;
    }

    private static Task RefuseAsync(HttpContext context, string error, string description)
    {
        context.Response.StatusCode = 400;
        return context.Response.WriteAsJsonAsync(new { error, error_description = description });
    }

    private Dictionary<string, object> Issue(string kind)
    {
        string token = "ya29.s3cret-" + Guid.NewGuid().ToString("N");
        lock (_issued)
        {
            _issued.Add((token, kind));
        }

        return new() { ["access_token"] = token, ["expires_in"] = 3600, ["token_type"] = "Bearer" };
    }

    // As the endpoint does: signed by the account's key, of the account, for Google's endpoint, in time, for reading or impersonating alone.
    private string? KindOfAssertion(string jwt, string? audience)
    {
        string[] parts = jwt.Split('.');
        if (parts.Length != 3
            || !_key.VerifyData(
                Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Decode(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
        {
            return null;
        }

        using JsonDocument claims = JsonDocument.Parse(Decode(parts[1]));
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        bool isRight = claims.RootElement.GetProperty("iss").GetString() == Email
            && (claims.RootElement.TryGetProperty("aud", out JsonElement aud) ? aud.GetString() : null) == audience
            && claims.RootElement.GetProperty("exp").GetInt64() > now
            && claims.RootElement.GetProperty("iat").GetInt64() <= now;
        return (isRight, claims.RootElement.GetProperty("scope").GetString()) switch
        {
            (true, "https://www.googleapis.com/auth/devstorage.read_only") => "jwt",
            (true, "https://www.googleapis.com/auth/iam") => "source",
            _ => null,
        };
    }

    private static byte[] Decode(string text) => Convert.FromBase64String(
        text.Replace('-', '+').Replace('_', '/') + new string('=', (4 - (text.Length % 4)) % 4));
}
