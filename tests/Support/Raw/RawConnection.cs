using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TypedWeights.Tests;

/// <summary>One connection to a <see cref="RawServer"/>, on which one request has been read.</summary>
internal sealed class RawConnection(Socket socket, byte[] file)
{
    /// <summary>The request line and headers as they came; empty where the client sent none.</summary>
    public string Request { get; private set; } = "";

    /// <summary>How many requests came to the server before this one.</summary>
    public int Index { get; set; }

    public int From { get; private set; }

    /// <summary>The last byte asked for.</summary>
    public int To { get; private set; }

    public int Length => To - From + 1;

    /// <summary>Reads the next request.</summary>
    /// <returns>false where the client has closed.</returns>
    public async Task<bool> ReadRequestAsync(CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await socket.ReceiveAsync(one, cancellationToken) == 0)
            {
                return false;
            }

            head.Append((char)one[0]);
        }

        Request = head.ToString();
        string range = Request.Split("\r\n").First(line => line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase));
        string[] bounds = range["Range: bytes=".Length..].Split('-');
        From = int.Parse(bounds[0], CultureInfo.InvariantCulture);
        To = Math.Min(bounds[1].Length == 0 ? int.MaxValue : int.Parse(bounds[1], CultureInfo.InvariantCulture), file.Length - 1);
        return true;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, cancellationToken)..];
        }
    }

    public Task SendAsync(string text, CancellationToken cancellationToken) => SendAsync(Encoding.ASCII.GetBytes(text), cancellationToken);

    /// <summary>The head of a right answer, with a strong tag.</summary>
    public Task SendHeadAsync(CancellationToken cancellationToken) => SendAsync(
        $"HTTP/1.1 206 Partial Content\r\nETag: \"raw\"\r\nContent-Length: {Length}\r\n"
            + $"Content-Range: bytes {From}-{To}/{file.Length}\r\n\r\n",
        cancellationToken);

    /// <summary>The first bytes of the range that was asked for.</summary>
    public Task SendBodyAsync(int length, CancellationToken cancellationToken) =>
        SendAsync(file.AsMemory(From, length), cancellationToken);

    /// <summary>A right answer.</summary>
    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        await SendHeadAsync(cancellationToken);
        await SendBodyAsync(Length, cancellationToken);
    }

    /// <summary>The bytes one at a time.</summary>
    public async Task DripAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        for (int i = 0; i < Length; i++)
        {
            await SendAsync(file.AsMemory(From + i, 1), cancellationToken);
            await Task.Delay(pause, cancellationToken);
        }
    }

    /// <summary>Sends nothing more until the client closes.</summary>
    public async Task WaitForCloseAsync(CancellationToken cancellationToken)
    {
        byte[] one = new byte[1];
        while (await socket.ReceiveAsync(one, cancellationToken) > 0)
        {
        }
    }

    /// <summary>A reset (RST) instead of an orderly end: what lingers unsent is thrown away.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
    }
}
