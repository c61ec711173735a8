using TypedWeights.Bench.Programs;

namespace TypedWeights.Bench.Http;

/// <summary>nginx on two free ports of the loopback: plain, and TLS under a local authority.</summary>
internal static class Nginx
{
    /// <summary>A second path of the folder, which serves as a bucket.</summary>
    public const string Bucket = "bucket";

    /// <summary>Starts nginx for the files of a folder. Its own files are written to the same folder.</summary>
    public static async Task<(Server Server, int Port, int TlsPort)> StartAsync(string program, string folder)
    {
        LocalAuthority.Write(folder);
        int port = Server.FreePort();
        int tlsPort = Server.FreePort();
        string config = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(config, Config(folder, port, tlsPort));
        string errors = Path.Combine(folder, "nginx-error.log");
        Server server = await Server.StartAsync(tlsPort, program, "-p", folder, "-c", config, "-e", errors);
        return (server, port, tlsPort);
    }

    // The settings that affect speed are the defaults of Debian's nginx.conf: sendfile, one worker for each core.
    private static string Config(string folder, int port, int tlsPort) => $$"""
        {{(Environment.UserName == "root" ? "user root;" : "")}}
        daemon off;
        worker_processes auto;
        pid {{folder}}/nginx.pid;
        events { worker_connections 768; }
        http {
            access_log off;
            sendfile on;
            tcp_nopush on;
            client_body_temp_path {{folder}}/nginx-body;
            proxy_temp_path {{folder}}/nginx-proxy;
            fastcgi_temp_path {{folder}}/nginx-fastcgi;
            uwsgi_temp_path {{folder}}/nginx-uwsgi;
            scgi_temp_path {{folder}}/nginx-scgi;
            root {{folder}};
            server { listen 127.0.0.1:{{port}}; location /{{Bucket}}/ { alias {{folder}}/; } }
            server {
                listen 127.0.0.1:{{tlsPort}} ssl;
                ssl_certificate {{folder}}/{{LocalAuthority.ServerCertificate}};
                ssl_certificate_key {{folder}}/{{LocalAuthority.ServerKey}};
                ssl_protocols TLSv1.2 TLSv1.3;
            }
        }
        """;
}
