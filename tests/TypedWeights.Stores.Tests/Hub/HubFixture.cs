using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TypedWeights.Tests.Stores.Hub;

/// <summary>
/// A stand-in for the hub's API and its redirects, on Kestrel: the hub itself cannot be had here. What it redirects to is real: nginx,
/// which checks the signature and the expiry of every link.
/// </summary>
internal sealed class HubFixture : IAsyncDisposable
{
    public const string Token = "hf_goodtoken";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    public const string NextCommit = "89abcdef0123456789abcdef0123456789abcdef";
    private const string LinkSecret = "cdn";

    private readonly WebApplication _app;
    private readonly NginxServer _cdn;
    private int _series;

    private HubFixture(WebApplication app, NginxServer cdn)
    {
        _app = app;
        _cdn = cdn;
    }

    public Uri Address => new(_app.Urls.First());

    /// <summary>What <c>main</c> is now.</summary>
    public string Main { get; set; } = Commit;

    public string ValidToken { get; set; } = Token;

    /// <summary>Paths that the hub was asked for, each with its Authorization.</summary>
    public ConcurrentQueue<(string Path, string Authorization)> Requests { get; } = new();

    public NginxServer Cdn => _cdn;

    /// <param name="files">By name; the commit stands before it in the folder of the second commit.</param>
    /// <param name="authority">Issues certificates for both, or null for plain HTTP.</param>
    public static async Task<HubFixture> StartAsync(IReadOnlyDictionary<string, byte[]> files, LocalAuthority? authority = null)
    {
        const string Signed = """
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri cdn$arg_series";
            if ($http_authorization) { return 418; }
            if ($secure_link = "") { return 403; }
            if ($secure_link = "0") { return 403; }
            if (-f $document_root/expired-$arg_series) { return 403; }
            """;
        NginxServer cdn = await NginxServer.StartAsync(files, Signed, tls: authority?.Issue("127.0.0.1"));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (authority is not null)
            {
                (string certificate, string key) = authority.Issue("127.0.0.1");
                listen.UseHttps(X509Certificate2.CreateFromPem(certificate, key));
            }
        }));
        WebApplication app = builder.Build();
        var hub = new HubFixture(app, cdn);
        app.Run(context => hub.AnswerAsync(context, files, authority is null ? "http" : "https"));
        await app.StartAsync();
        return hub;
    }

    /// <summary>Makes the links so far invalid, as if they had expired.</summary>
    public void ExpireLinks() => _cdn.Replace($"expired-{_series++}", []);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context, IReadOnlyDictionary<string, byte[]> files, string scheme)
    {
        string path = context.Request.Path.Value!;
        string authorization = context.Request.Headers.Authorization.ToString();
        Requests.Enqueue((path, authorization));
        bool isKnown = authorization == "Bearer " + ValidToken;
        if (authorization.Length > 0 && !isKnown)
        {
            await RefuseAsync(401, null);
        }
        else if (path.Contains("/org/private", StringComparison.Ordinal) && !isKnown || path.Contains("/org/absent", StringComparison.Ordinal))
        {
            await RefuseAsync(401, "RepoNotFound");
        }
        else if (path.Contains("/org/gated/resolve", StringComparison.Ordinal))
        {
            await RefuseAsync(isKnown ? 403 : 401, "GatedRepo");
        }
        else if (path.StartsWith("/api/models/", StringComparison.Ordinal))
        {
            string revision = path[(path.LastIndexOf('/') + 1)..];
            string? commit = revision is "main" ? Main : revision is "v1" or Commit ? Commit : revision == NextCommit ? NextCommit : null;
            if (commit is null)
            {
                await RefuseAsync(404, "RevisionNotFound");
                return;
            }

            IEnumerable<string> names = files.Keys.Where(name => !name.StartsWith(NextCommit, StringComparison.Ordinal)).Append("README.md");
            await context.Response.WriteAsJsonAsync(new { sha = commit, siblings = names.Select(name => new { rfilename = name }) });
        }
        else if (path.Split("/resolve/") is [_, var rest] && rest.Split('/', 2) is [var commit, var name])
        {
            string file = commit == NextCommit ? $"{NextCommit}-{name}" : name;
            if (!files.ContainsKey(file))
            {
                await RefuseAsync(404, "EntryNotFound");
                return;
            }

            string link = "/" + file;
            long end = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
            string expires = end.ToString(CultureInfo.InvariantCulture);
#pragma warning disable CA5351 // What nginx's secure_link checks.
            string md5 = Convert.ToBase64String(MD5.HashData(Encoding.UTF8.GetBytes($"{expires}{link} {LinkSecret}{_series}")))
                .Replace('+', '-').Replace('/', '_').TrimEnd('=');
#pragma warning restore CA5351
            context.Response.Headers["X-Repo-Commit"] = commit;
            context.Response.StatusCode = 302;
            context.Response.Headers.Location =
                $"{scheme}://127.0.0.1:{_cdn.Port}/{Uri.EscapeDataString(file)}?md5={md5}&expires={expires}&series={_series}";
        }
        else
        {
            await RefuseAsync(404, "RepoNotFound");
        }

        async Task RefuseAsync(int status, string? code)
        {
            context.Response.StatusCode = status;
            if (code is not null)
            {
                context.Response.Headers["X-Error-Code"] = code;
            }

            await context.Response.WriteAsync("no");
        }
    }
}
