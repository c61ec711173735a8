using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace TypedWeights.Bench.Programs;

/// <summary>A local server that is started for the measurement and killed after it.</summary>
internal sealed class Server : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    private Server(Process process)
    {
        _process = process;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>Starts a server and waits until it accepts connections.</summary>
    /// <exception cref="InvalidOperationException">The server ended; the message has its standard error.</exception>
    public static async Task<Server> StartAsync(int port, string program, params IEnumerable<string> arguments)
    {
        var server = new Server(ExternalProgram.Start(program, arguments));
        try
        {
            await server.WaitUntilItListensAsync(port);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <returns>A port that is free at the moment.</returns>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Kill();
        _process.Dispose();
    }

    private async Task WaitUntilItListensAsync(int port)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
            {
                string output = (await _process.StandardError.ReadToEndAsync()).Trim();
                throw new InvalidOperationException($"{_process.StartInfo.FileName} ended: {output}");
            }

            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (watch.Elapsed < Patience)
            {
                await Task.Delay(20);
            }
        }
    }

    private void OnExit(object? sender, EventArgs e) => Kill();

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // The server has already ended.
        }
    }
}
