using System.Net;
using System.Net.Http.Headers;
using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Bench.Http;

/// <summary>
/// A few lines around an unconfigured <see cref="HttpClient"/>: tasks that take the next range and read its body straight into memory that
/// exists and has been written to. The class checks nothing and repeats nothing.
/// </summary>
internal sealed class BareClient : IDisposable
{
    private readonly IReadOnlyList<(long Offset, long Length)> _ranges;
    private readonly HeapRegion _memory;

    /// <param name="ranges">The ranges to read.</param>
    /// <param name="length">The length of the file.</param>
    public BareClient(IReadOnlyList<TransferRange> ranges, long length)
    {
        _ranges = [.. ranges.Select(static range => (range.Offset, range.Length))];
        _memory = HeapRegion.Allocate(length);
        new NativeMemoryManager(_memory.Address, checked((int)length)).GetSpan().Fill(1);
    }

    /// <summary>Downloads a file in ranges of 16 MiB into new memory; disposing the result frees the memory.</summary>
    /// <param name="url">The file.</param>
    /// <param name="tasks">How many ranges at a time.</param>
    public static async Task<IDisposable> DownloadAsync(string url, int tasks)
    {
        const long RangeSize = 16 << 20;
        using var client = new HttpClient();
        using var head = new HttpRequestMessage(HttpMethod.Head, url);
        using HttpResponseMessage response = await client.SendAsync(head);
        long length = response.Content.Headers.ContentLength!.Value;
        var ranges = new List<(long Offset, long Length)>();
        for (long offset = 0; offset < length; offset += RangeSize)
        {
            ranges.Add((offset, Math.Min(RangeSize, length - offset)));
        }

        var memory = HeapRegion.Allocate(length);
        await ReadAsync(client, url, ranges, memory, tasks);
        return memory;
    }

    /// <summary>Reads all ranges once, over new connections.</summary>
    /// <param name="url">The URL of the file.</param>
    /// <param name="tasks">How many ranges are read at a time.</param>
    public async Task ReadAsync(string url, int tasks)
    {
        using var client = new HttpClient();
        await ReadAsync(client, url, _ranges, _memory, tasks);
    }

    public void Dispose() => _memory.Dispose();

    private static async Task ReadAsync(
        HttpClient client, string url, IReadOnlyList<(long Offset, long Length)> ranges, HeapRegion memory, int tasks)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is int index && index < ranges.Count)
            {
                await ReadAsync(client, url, ranges[index].Offset, ranges[index].Length, memory);
            }
        })));
    }

    private static async Task ReadAsync(HttpClient client, string url, long offset, long length, HeapRegion memory)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            throw new InvalidOperationException($"{url} returned {(int)response.StatusCode}.");
        }

        await using Stream body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new NativeMemoryManager(memory.Address + (nint)offset, (int)length).Memory);
    }
}
