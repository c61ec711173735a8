using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TypedWeights.Tests;

/// <summary>How a server answers one request.</summary>
internal delegate Task Fault(FaultRequest request);

/// <summary>
/// A real web server (Kestrel) on the loopback address that answers as its test says, keeps what was asked, and knows what is still open.
/// </summary>
internal sealed class FaultServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _numbering = new();
    private readonly Dictionary<(string Path, long To), int> _attempts = [];
    private int _open;
    private int _connections;
    private int _payloads;

    private FaultServer(WebApplication app) => _app = app;

    /// <summary>The files by path, such as <c>/model.safetensors</c>; a query is not looked at.</summary>
    public ConcurrentDictionary<string, ServedFile> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Chooses how a request is answered; null for the way of a server without faults.</summary>
    public Func<FaultRequest, Fault?> Answer { get; set; } = static _ => null;

    /// <summary>What was asked for, in the order in which it came.</summary>
    public ConcurrentQueue<FaultRequest> Requests { get; } = new();

    /// <summary>Those of <see cref="Requests"/> that asked for payload alone.</summary>
    public IEnumerable<FaultRequest> Payloads => Requests.Where(request => request.Payload >= 0);

    /// <summary>Requests whose answers have not ended.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections that have not been closed.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The address without a final slash.</summary>
    public string Address => _app.Urls.First();

    /// <param name="port">0 for any free one.</param>
    /// <param name="prepare">Is called before the first request can come.</param>
    public static async Task<FaultServer> StartAsync(int port = 0, Action<FaultServer>? prepare = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseShutdownTimeout(TimeSpan.FromSeconds(1));
        FaultServer server = null!;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Use(next => async connection =>
            {
                Interlocked.Increment(ref server._connections);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref server._connections);
                }
            }));
        });
        server = new FaultServer(builder.Build());
        prepare?.Invoke(server);
        server._app.Run(server.AnswerAsync);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Returns when no answer is under way any more; fails when that takes too long.</summary>
    public Task WaitUntilIdleAsync() => Eventually.BecomesAsync(
        () => Open == 0, () => $"still open: {string.Join(" | ", Requests.Where(request => !request.HasEnded))}");

    /// <summary>Returns when every connection has been closed; fails when that takes too long.</summary>
    public Task WaitUntilDisconnectedAsync() =>
        Eventually.BecomesAsync(() => Connections == 0, () => $"{Connections} connections are still open");

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _app.DisposeAsync();
        _closing.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        ClientGone.Notice(context);
        Files.TryGetValue(context.Request.Path, out ServedFile? file);
        var request = new FaultRequest(context, file, _closing.Token);
        Number(request);
        Interlocked.Increment(ref _open);
        try
        {
            await (Answer(request) ?? Respond.Serve)(request);
        }
        catch (Exception e) when (request.Aborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The client has gone, which is what many tests want; or the server goes, and does not look as if it had answered.
            context.Abort();
        }
        finally
        {
            request.WasAborted = context.RequestAborted.IsCancellationRequested;
            request.HasEnded = true;
            Interlocked.Decrement(ref _open);
        }
    }

    private void Number(FaultRequest request)
    {
        lock (_numbering)
        {
            request.Index = Requests.Count;
            request.Payload = request.IsPayload ? _payloads++ : -1;
            request.Attempt = _attempts.GetValueOrDefault((request.Path, request.To));
            _attempts[(request.Path, request.To)] = request.Attempt + 1;
            Requests.Enqueue(request);
        }
    }
}
