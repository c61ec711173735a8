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
    private readonly IReadOnlyList<TransferRange> _ranges;
    private readonly HeapRegion _memory;

    /// <param name="ranges">The ranges to read.</param>
    /// <param name="length">The length of the file.</param>
    public BareClient(IReadOnlyList<TransferRange> ranges, long length)
    {
        _ranges = ranges;
        _memory = HeapRegion.Allocate(length);
        new NativeMemoryManager(_memory.Address, checked((int)length)).GetSpan().Fill(1);
    }

    /// <summary>Reads all ranges once, over new connections.</summary>
    /// <param name="url">The URL of the file.</param>
    /// <param name="tasks">How many ranges are read at a time.</param>
    public async Task ReadAsync(string url, int tasks)
    {
        using var client = new HttpClient();
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is int index && index < _ranges.Count)
            {
                await ReadAsync(client, url, _ranges[index]);
            }
        })));
    }

    public void Dispose() => _memory.Dispose();

    private async Task ReadAsync(HttpClient client, string url, TransferRange range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(range.Offset, range.Offset + range.Length - 1);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            throw new InvalidOperationException($"{url} returned {(int)response.StatusCode}.");
        }

        await using Stream body = await response.Content.ReadAsStreamAsync();
        Memory<byte> memory = new NativeMemoryManager(_memory.Address + (nint)range.Offset, (int)range.Length).Memory;
        await body.ReadExactlyAsync(memory);
    }
}
