using Microsoft.AspNetCore.Http;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Tests.Loading.Http;

/// <summary>Opens and serves single files, for tests of a source by itself: it makes one attempt at everything.</summary>
internal static class HttpFile
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<IWeightSource> OpenAsync(this UrlProvider provider, string url, int firstBytes = 8)
    {
        IWeightLocation location = await provider.LocateAsync(WeightUri.Parse(url), Token);
        return await location.OpenAsync(location.EntryName, firstBytes, Token);
    }

    public static async Task<IWeightSource> OpenAheadAsync(this UrlProvider provider, string url, long length)
    {
        IWeightLocation location = await provider.LocateAsync(WeightUri.Parse(url), Token);
        return location.OpenAhead(location.EntryName, length)!;
    }

    public static async Task<byte[]> ReadAsync(this IWeightSource source, long offset, int length) =>
        await WeightSourceReading.ReadAsync(source, offset, length, Token);

    /// <summary>Reads a range as far as it comes, and keeps the failure.</summary>
    public static async Task<(byte[] Bytes, WeightSourceException Failure)> ReadToFailureAsync(
        this IWeightSource source, long offset, int length)
    {
        byte[] bytes = new byte[length];
        int filled = 0;
        WeightSourceException failure = await Assert.ThrowsAsync<WeightSourceException>(async () =>
        {
            await using IRangeReader reader = await source.OpenRangeAsync(offset, length, Token);
            while (filled < length)
            {
                filled += await reader.ReadAsync(bytes.AsMemory(filled), Token);
            }
        });
        return (bytes[..filled], failure);
    }

    public static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Serves bytes with ranges and preconditions, and the validators that are given.</summary>
    public static async Task<bool> ServeAsync(HttpContext context, byte[] bytes, string? tag = null, DateTimeOffset? modified = null)
    {
        await Results.Bytes(
            bytes,
            "application/octet-stream",
            enableRangeProcessing: true,
            lastModified: modified,
            entityTag: tag is null ? null : Microsoft.Net.Http.Headers.EntityTagHeaderValue.Parse(tag)).ExecuteAsync(context);
        return true;
    }

    /// <summary>Serves bytes as a server that knows no ranges does.</summary>
    /// <param name="context">The request.</param>
    /// <param name="bytes">The file.</param>
    /// <param name="tag">Its ETag, if it has one.</param>
    /// <param name="count">How many bytes come before the connection ends; all by default.</param>
    public static async Task<bool> ServeWholeAsync(HttpContext context, byte[] bytes, string? tag = null, int? count = null)
    {
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.ETag = tag;
        await context.Response.Body.WriteAsync(bytes.AsMemory(0, count ?? bytes.Length));

        // Kestrel closes the connection when an answer is shorter than it said.
        return true;
    }

    public static Task<bool> Status(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.FromResult(true);
    }

    public static Task<bool> Redirect(HttpContext context, string address, int status = 302)
    {
        context.Response.Headers.Location = address;
        return Status(context, status);
    }
}
