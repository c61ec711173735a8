using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TypedWeights.GpuBench;

/// <summary>Serves one file with ranges over the loopback, as fast as the system sends files. It needs no installed server.</summary>
internal static class RangeServer
{
    public static async Task<int> RunAsync(string path, int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        while (true)
        {
            TcpClient client = await listener.AcceptTcpClientAsync();
            _ = Task.Run(() => ServeAsync(client, path));
        }
    }

    private static async Task ServeAsync(TcpClient client, string path)
    {
        using (client)
        {
            client.NoDelay = true;
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            try
            {
                while (await ReadRangeAsync(reader) is { } range)
                {
                    await SendAsync(client, path, range);
                }
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // The client has closed the connection.
            }
        }
    }

    // Returns the range of the next request: the whole file for a request without a range, null at the end of the connection.
    private static async Task<(long From, long To)?> ReadRangeAsync(StreamReader reader)
    {
        (long, long) range = (0, -1);
        if (await reader.ReadLineAsync() is not { Length: > 0 })
        {
            return null;
        }

        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
            {
                string[] ends = line["Range: bytes=".Length..].Split('-');
                range = (long.Parse(ends[0], CultureInfo.InvariantCulture), long.Parse(ends[1], CultureInfo.InvariantCulture));
            }
        }

        return range;
    }

    private static async Task SendAsync(TcpClient client, string path, (long From, long To) range)
    {
        using FileStream file = File.OpenRead(path);
        long to = range.To < 0 ? file.Length - 1 : Math.Min(range.To, file.Length - 1);
        long left = to + 1 - range.From;
        string status = range.To < 0 ? "200 OK" : $"206 Partial Content\r\nContent-Range: bytes {range.From}-{to}/{file.Length}";
        await client.Client.SendAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status}\r\nContent-Length: {left}\r\nETag: \"bench\"\r\nAccept-Ranges: bytes\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n"));
        byte[] buffer = new byte[1 << 20];
        for (long at = range.From; left > 0;)
        {
            int read = await RandomAccess.ReadAsync(file.SafeFileHandle, buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), at);
            int sent = 0;
            while (sent < read)
            {
                sent += await client.Client.SendAsync(buffer.AsMemory(sent, read - sent));
            }

            at += read;
            left -= read;
        }
    }
}
