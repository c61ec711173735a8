using System.Net;
using System.Net.Sockets;
using System.Text;
using TypedWeights.Files;

namespace TypedWeights.Sources.Http;

/// <summary>Makes the connection pool of a provider.</summary>
internal static class HttpHandler
{
    private const long FewFiles = 4096;

    public static SocketsHttpHandler Create(HttpOptions options)
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

        if (ProcessLimits.OpenFiles < FewFiles)
        {
            // Another load may be waiting for the descriptors of idle connections.
            handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2);
        }

        var connector = new HostConnector();
        handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(connector, context, cancellationToken);
        handler.SslOptions.RemoteCertificateValidationCallback = new ServerCertificate(options.TrustedRoots).Check;
        options.ConfigureHandler?.Invoke(handler);

        // The callers depend on these. Redirects are followed by HttpTarget, which knows what may go along.
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.UseCookies = false;

        // A character for each byte, Location too, as ExactUri and ETags want it: .NET would read that as UTF-8 where it can.
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(
        HostConnector connector, SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = await connector.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
        if (!OperatingSystem.IsLinux())
        {
            return new NetworkStream(socket, ownsSocket: true);
        }

        var stream = new ThriftyStream(socket);

        // Through a proxy too, TLS goes over this connection.
        return context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps ? new ReadAheadStream(stream) : stream;
    }
}
