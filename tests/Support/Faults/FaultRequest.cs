using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace TypedWeights.Tests;

/// <summary>One request as the server saw it, and what became of it.</summary>
internal sealed class FaultRequest
{
    private long _sent;

    public FaultRequest(HttpContext context, ServedFile? file, CancellationToken closing)
    {
        Context = context;
        File = file;
        Aborted = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing).Token;
        Path = context.Request.Path + context.Request.QueryString;
        IfMatch = context.Request.Headers.IfMatch;
        Authorization = context.Request.Headers.Authorization;
        AcceptEncoding = context.Request.Headers.AcceptEncoding;
        Range = context.Request.Headers.Range;
        (From, To) = Bounds(Range, file?.Bytes.Length ?? 0);
    }

    public HttpContext Context { get; }

    public ServedFile? File { get; }

    /// <summary>The client has gone, or the server goes.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Path and query.</summary>
    public string Path { get; }

    public string? IfMatch { get; }

    public string? Authorization { get; }

    public string? AcceptEncoding { get; }

    public string? Range { get; }

    /// <summary>The first byte asked for; 0 where no range was.</summary>
    public long From { get; }

    /// <summary>The last byte asked for, which is in the file.</summary>
    public long To { get; }

    public long Length => To - From + 1;

    public DateTimeOffset At { get; } = DateTimeOffset.UtcNow;

    /// <summary>How many requests came before this one.</summary>
    public int Index { get; set; }

    /// <summary>How many requests for payload alone came before this one; -1 where it asks for the header.</summary>
    public int Payload { get; set; } = -1;

    /// <summary>How many requests with the same last byte came before: a read that is resumed keeps its end.</summary>
    public int Attempt { get; set; }

    /// <summary>Whether it asks for bytes behind the header and for nothing else.</summary>
    public bool IsPayload => File is not null && From >= File.DataStart;

    /// <summary>Bytes of the body that were written.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Whether the client went away before the answer had ended.</summary>
    public bool WasAborted { get; set; }

    /// <summary>Whether the answer is no longer under way.</summary>
    public bool HasEnded { get; set; }

    public void CountSent(long bytes) => Interlocked.Add(ref _sent, bytes);

    public override string ToString() => $"{Index}: {Path} {From}-{To} attempt {Attempt}, {Sent} sent at {At:HH:mm:ss.fff}";

    private static (long From, long To) Bounds(string? range, long length)
    {
        if (range is null || !range.StartsWith("bytes=", StringComparison.Ordinal))
        {
            return (0, length - 1);
        }

        string[] bounds = range["bytes=".Length..].Split('-');
        long from = long.Parse(bounds[0], CultureInfo.InvariantCulture);
        long to = bounds[1].Length == 0 ? length - 1 : long.Parse(bounds[1], CultureInfo.InvariantCulture);
        return (from, Math.Min(to, length - 1));
    }
}
