using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace TypedWeights.Tests;

/// <summary>The ways of a server: the right one, and one for each way to go wrong.</summary>
internal static class Respond
{
    /// <summary>What a faultless server does: 206 with validators, 412 where <c>If-Match</c> does not hold, 404, 416.</summary>
    public static async Task Serve(FaultRequest request)
    {
        if (Head(request, request.Length))
        {
            await WriteAsync(request, request.From, request.Length);
        }
    }

    /// <summary>A status without the file.</summary>
    public static Fault Status(int status, string? retryAfter = null) => async request =>
    {
        request.Context.Response.StatusCode = status;
        request.Context.Response.Headers.RetryAfter = retryAfter;
        await request.Context.Response.WriteAsync("no");
    };

    /// <summary>The connection is torn down after some bytes of the body.</summary>
    public static Fault AbortAfter(long bytes) => async request =>
    {
        if (Head(request, request.Length))
        {
            await WriteAsync(request, request.From, Math.Min(bytes, request.Length));
            request.Context.Abort();
        }
    };

    /// <summary>A body that is shorter than its Content-Length: the connection is closed behind the last byte.</summary>
    public static Fault TruncateAfter(long bytes) => async request =>
    {
        if (Head(request, request.Length))
        {
            await WriteAsync(request, request.From, Math.Min(bytes, request.Length));
        }
    };

    /// <summary>A body in chunks that ends properly, and too early.</summary>
    public static Fault EndAfter(long bytes) => async request =>
    {
        if (Head(request, null))
        {
            // Or an empty body would be given a length of 0.
            await request.Context.Response.StartAsync(request.Aborted);
            await WriteAsync(request, request.From, Math.Min(bytes, request.Length));
        }
    };

    /// <summary>Some bytes of the body, and then nothing for as long as the client waits.</summary>
    public static Fault StallAfter(long bytes) => async request =>
    {
        if (Head(request, request.Length))
        {
            await WriteAsync(request, request.From, Math.Min(bytes, request.Length));
            await request.Context.Response.Body.FlushAsync(request.Aborted);

            // To the client a body with its last byte is over, and nobody waits.
            await Task.Delay(bytes < request.Length ? Timeout.Infinite : 0, request.Aborted);
        }
    };

    /// <summary>Not even a status line.</summary>
    public static Task Silence(FaultRequest request) => Task.Delay(Timeout.Infinite, request.Aborted);

    /// <summary>The whole file with 200, whatever the range.</summary>
    public static Task IgnoreRange(FaultRequest request) => IgnoreRangeUntil(long.MaxValue)(request);

    /// <summary>The whole file with 200, and a connection that breaks after some bytes.</summary>
    public static Fault IgnoreRangeUntil(long bytes) => async request =>
    {
        HttpResponse response = request.Context.Response;
        Validators(request);
        response.ContentLength = request.File!.Bytes.Length;
        await WriteAsync(request, 0, Math.Min(bytes, request.File.Bytes.Length));
        if (bytes < request.File.Bytes.Length)
        {
            request.Context.Abort();
        }
    };

    /// <summary>206 with another Content-Range than the one that was asked for; null for none.</summary>
    public static Fault ContentRange(Func<FaultRequest, string?> text) => async request =>
    {
        if (Head(request, request.Length))
        {
            request.Context.Response.Headers.ContentRange = text(request);
            await WriteAsync(request, request.From, request.Length);
        }
    };

    /// <summary>206 with the right Content-Range and a body that is longer (or shorter) than it says.</summary>
    public static Fault Surplus(int bytes, bool chunked) => async request =>
    {
        if (Head(request, chunked ? null : request.Length + bytes))
        {
            await WriteAsync(request, request.From, request.Length + Math.Min(0, bytes));
            await request.Context.Response.Body.WriteAsync(new byte[Math.Max(0, bytes)], request.Aborted);
        }
    };

    /// <summary>A body that was compressed though <c>identity</c> was asked for.</summary>
    public static async Task Compress(FaultRequest request)
    {
        using var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(request.File!.Bytes.AsMemory((int)request.From, (int)request.Length));
        }

        if (Head(request, zipped.Length))
        {
            request.Context.Response.Headers.ContentEncoding = "gzip";
            await request.Context.Response.Body.WriteAsync(zipped.ToArray(), request.Aborted);
        }
    }

    /// <summary>A text with 200 where the file should be: a login page, an LFS pointer.</summary>
    public static Fault Text(string text, string type) => async request =>
    {
        request.Context.Response.ContentType = type;
        request.Context.Response.ContentLength = Encoding.UTF8.GetByteCount(text);
        await request.Context.Response.WriteAsync(text);
    };

    public static Fault Redirect(string address, int status = 302) => request =>
    {
        request.Context.Response.StatusCode = status;
        request.Context.Response.Headers.Location = address;
        return Task.CompletedTask;
    };

    /// <summary>Does something first.</summary>
    public static Fault After(Func<Task> before, Fault then) => async request =>
    {
        await before();
        await then(request);
    };

    /// <summary>Writes the head of a 206, or a whole answer where there is nothing to send.</summary>
    /// <returns>Whether a body is to follow.</returns>
    public static bool Head(FaultRequest request, long? contentLength)
    {
        HttpResponse response = request.Context.Response;
        if (request.File is not { } file)
        {
            response.StatusCode = 404;
            return false;
        }

        Validators(request);
        if (request.IfMatch is { } tag && (file.IsWeak || tag != file.Tag))
        {
            response.StatusCode = 412;
            return false;
        }

        if (request.From >= file.Bytes.Length)
        {
            response.StatusCode = 416;
            response.Headers.ContentRange = $"bytes */{file.Bytes.Length}";
            return false;
        }

        response.StatusCode = 206;
        response.ContentType = "application/octet-stream";
        response.ContentLength = contentLength;
        response.Headers.ContentRange = $"bytes {request.From}-{request.To}/{file.Bytes.Length}";
        return true;
    }

    /// <summary>Writes bytes of the file as the body.</summary>
    public static async Task WriteAsync(FaultRequest request, long from, long length)
    {
        for (long done = 0; done < length;)
        {
            int take = (int)Math.Min(length - done, 64 << 10);
            await request.Context.Response.Body.WriteAsync(request.File!.Bytes.AsMemory((int)(from + done), take), request.Aborted);
            request.CountSent(take);
            done += take;
        }
    }

    private static void Validators(FaultRequest request)
    {
        IHeaderDictionary headers = request.Context.Response.Headers;
        headers.ETag = request.File!.Tag;
        headers.LastModified = request.File.Modified is { } modified ? HeaderUtilities.FormatDate(modified) : request.File.OddDate;
    }
}
