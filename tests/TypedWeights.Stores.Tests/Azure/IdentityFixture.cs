using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>
/// Stands in for the token endpoint of a managed identity, as App Service has it: Azure's own library asks it, Azurite checks what it gave.
/// </summary>
internal sealed class IdentityFixture : IAsyncDisposable
{
    private const string Header = "identity-header-s3cret";

    private readonly FileServer _server;

    private IdentityFixture(FileServer server)
    {
        _server = server;
        server.Intercept = AnswerAsync;
    }

    /// <summary>How long its tokens hold.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether it refuses to give any.</summary>
    public bool Refuses { get; set; }

    public List<string> Tokens { get; } = [];

    public static async Task<IdentityFixture> StartAsync() => new(await FileServer.StartAsync());

    /// <summary>The environment that App Service gives to its programs.</summary>
    public Variables Environment() => new(("IDENTITY_ENDPOINT", _server.Address + "/msi/token"), ("IDENTITY_HEADER", Header));

    /// <summary>A token as the service writes it; Azurite does not check the signature.</summary>
    public static string Token(TimeSpan life)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        string claims = JsonSerializer.Serialize(new
        {
            aud = "https://storage.azure.com",
            iss = "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
            iat = now.AddMinutes(-5).ToUnixTimeSeconds(),
            nbf = now.AddMinutes(-5).ToUnixTimeSeconds(),
            exp = (now + life).ToUnixTimeSeconds(),
            jti = Guid.NewGuid(),
        });
        return $"{Encode("{\"typ\":\"JWT\",\"alg\":\"RS256\"}")}.{Encode(claims)}.c2lnbmF0dXJl";
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        bool isRight = context.Request.Headers["X-IDENTITY-HEADER"] == Header
            && context.Request.Query["resource"] == "https://storage.azure.com"
            && !Refuses;
        context.Response.StatusCode = isRight ? 200 : 400;
        string token = Token(Life);
        lock (Tokens)
        {
            Tokens.Add(token);
        }

        await context.Response.WriteAsJsonAsync(new
        {
            access_token = isRight ? token : null,
            expires_on = (DateTimeOffset.UtcNow + Life).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            resource = "https://storage.azure.com",
            token_type = "Bearer",
            error = isRight ? null : "invalid_request",
        });
        return true;
    }

    private static string Encode(string text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>An application's own credential, with a new token for each request.</summary>
    /// <param name="life">How long the tokens are valid; they claim an hour.</param>
    internal sealed class OwnCredential(TimeSpan life) : TokenCredential
    {
        public List<string> Tokens { get; } = [];

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Assert.Equal(["https://storage.azure.com/.default"], requestContext.Scopes);
            string token = Token(life);
            lock (Tokens)
            {
                Tokens.Add(token);
            }

            return new AccessToken(token, DateTimeOffset.UtcNow.AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
