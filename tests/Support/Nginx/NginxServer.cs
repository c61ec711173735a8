using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace TypedWeights.Tests;

/// <summary>nginx on a free port, with a configuration and a folder of its own; it ends with the test.</summary>
internal sealed class NginxServer : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly Process _process;

    private NginxServer(TempFolder folder, Process process, int port)
    {
        _folder = folder;
        _process = process;
        Port = port;
    }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    /// <summary>The requests so far, in the order of their ends.</summary>
    public IReadOnlyList<NginxRequest> Requests =>
        [.. File.ReadLines(_folder["access.log"]).Select(NginxRequest.Parse)];

    /// <summary>Starts nginx; skips the test where there is none, except in CI, where that is a failure.</summary>
    /// <param name="files">What it serves, by name.</param>
    /// <param name="server">Lines of the server block.</param>
    /// <param name="http">Lines of the http block.</param>
    /// <param name="tls">The PEM texts of the certificate and its key, for TLS on the port.</param>
    public static async Task<NginxServer> StartAsync(
        IReadOnlyDictionary<string, byte[]> files, string server = "", string http = "", (string Certificate, string Key)? tls = null)
    {
        string nginx = ServerProgram.Require("nginx");
        var folder = new TempFolder();
        Directory.CreateDirectory(folder["files"]);
        foreach ((string name, byte[] bytes) in files)
        {
            File.WriteAllBytes(folder[$"files/{name}"], bytes);
        }

        if (tls is { } pair)
        {
            File.WriteAllText(folder["server.pem"], pair.Certificate);
            File.WriteAllText(folder["server.key"], pair.Key);
        }

        int port = FreePort.Find();
        File.WriteAllText(folder["nginx.conf"], Configuration(folder.Path, port, server, http, tls is not null));
        var started = new NginxServer(folder, Start(nginx, folder), port);
        try
        {
            await started.WaitUntilAcceptingAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts other bytes in the place of a file, at one go.</summary>
    public void Replace(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder["replacement"], bytes);
        File.Move(_folder["replacement"], _folder[$"files/{name}"], overwrite: true);
    }

    /// <summary>Returns when the log holds as many requests as wanted: nginx writes a line when it has noticed the answer's end.</summary>
    public Task WaitForRequestsAsync(int count) =>
        Eventually.BecomesAsync(() => Requests.Count >= count, () => $"the log has {Requests.Count} requests");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private static Process Start(string nginx, TempFolder folder)
    {
        var start = new ProcessStartInfo(nginx)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["-p", folder.Path, "-c", folder["nginx.conf"], "-e", folder["error.log"]])
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        return process;
    }

    // One process, so that killing it leaves nothing; it stays whoever started it, so that it can read the folder.
    private static string Configuration(string folder, int port, string server, string http, bool tls) => $$"""
        daemon off;
        master_process off;
        pid {{folder}}/nginx.pid;
        error_log {{folder}}/error.log;
        events {}
        http {
            log_format requests '$status\t$request_method\t$request_uri\t$http_range\t$http_if_match\t'
                '$http_accept_encoding\t$body_bytes_sent';
            access_log {{folder}}/access.log requests;
            client_body_temp_path {{folder}}; proxy_temp_path {{folder}}; fastcgi_temp_path {{folder}};
            uwsgi_temp_path {{folder}}; scgi_temp_path {{folder}};
            {{http}}
            server {
                listen 127.0.0.1:{{port}}{{(tls ? " ssl" : "")}};
                {{(tls ? $"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;" : "")}}
                root {{folder}}/files;
                {{server}}
            }
        }
        """;

    private Task WaitUntilAcceptingAsync() => Eventually.BecomesAsync(
        () =>
        {
            if (_process.HasExited)
            {
                Assert.Fail("nginx ended: " + File.ReadAllText(_folder["error.log"]));
            }

            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, Port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        },
        () => "nginx does not accept connections: " + File.ReadAllText(_folder["error.log"]));
}
