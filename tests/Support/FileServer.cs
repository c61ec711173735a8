using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TypedWeights.Tests;

/// <summary>A real web server (Kestrel) on the loopback address: files with ranges and ETags, a log of requests, a hook for faults.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FileServer(WebApplication app) => _app = app;

    /// <summary>What was asked for: method, path and Range header.</summary>
    public ConcurrentQueue<(string Method, string Path, string? Range)> Requests { get; } = new();

    /// <summary>Bytes by path, such as <c>/model.safetensors</c>.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Is asked before a file is served; true when it has answered itself.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    /// <summary>The address without a final slash.</summary>
    public string Address => _app.Urls.First();

    /// <param name="certificate">For HTTPS; null for HTTP.</param>
    public static async Task<FileServer> StartAsync(X509Certificate2? certificate = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback,
            0,
            listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            }));
        WebApplication app = builder.Build();
        var server = new FileServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        ClientGone.Notice(context);
        string? range = context.Request.Headers.Range;
        Requests.Enqueue((context.Request.Method, context.Request.Path, range));
        if (Intercept is not null && await Intercept(context))
        {
            return;
        }

        if (!Files.TryGetValue(context.Request.Path, out byte[]? bytes))
        {
            context.Response.StatusCode = 404;
            return;
        }

        string tag = $"\"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes))[..16]}\"";
        await Results.Bytes(bytes, "application/octet-stream", enableRangeProcessing: true, entityTag: new(tag)).ExecuteAsync(context);
    }
}
