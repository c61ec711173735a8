using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace TypedWeights.Sources.Http;

/// <summary>Makes the connection pool of a provider.</summary>
internal static class HttpHandler
{
    public static SocketsHttpHandler Create(HttpSourceOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),

            // What is left of an abandoned answer is read to its end only where that is little: a page beside a status, never a part.
            MaxResponseDrainSize = 64 << 10,
            ResponseDrainTimeout = TimeSpan.FromMilliseconds(500),
        };
        if (options.Proxy is not null)
        {
            handler.Proxy = options.Proxy;
        }

        if (OperatingSystem.IsLinux())
        {
            handler.ConnectCallback = ConnectAsync;
        }

        handler.SslOptions.RemoteCertificateValidationCallback = new ServerCertificate(options.TrustedRoots).Check;
        options.ConfigureHandler?.Invoke(handler);

        // The callers depend on these. Redirects are followed by HttpTarget, which knows what may go along.
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.UseCookies = false;
        return handler;
    }

    // As the handler itself does it, up to the stream.
    [SupportedOSPlatform("linux")]
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            var stream = new ThriftyStream(socket);

            // Through a proxy too, TLS goes over this connection.
            return context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps ? new ReadAheadStream(stream) : stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
