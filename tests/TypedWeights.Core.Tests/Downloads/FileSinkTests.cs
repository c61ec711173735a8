using TypedWeights.Downloads;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Downloads;

public sealed class FileSinkTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_sink_lends_no_more_buffers_than_the_limit_allows_and_reuses_each_buffer()
    {
        const int Segment = 1000;
        await using PartialFile file = await PartialFile.OpenAsync(_folder["a"], new SourceIdentity("a", 10 * Segment, "1"), _ => { }, Token);
        await using var sink = new FileSink(file, bufferLimit: 2 * Segment + 1, Segment);
        sink.Allocate(TransferPlan.OfFile(10 * Segment, PartLimits.Local));

        Memory<byte> first = await sink.AcquireAsync(new TransferSegment(0, 0, Segment), Token);
        Memory<byte> second = await sink.AcquireAsync(new TransferSegment(0, Segment, Segment), Token);
        ValueTask<Memory<byte>> waiting = sink.AcquireAsync(new TransferSegment(0, 2 * Segment, 10), Token);
        Assert.False(waiting.IsCompleted);
        await sink.CommitAsync(new TransferSegment(0, Segment, Segment), second, Token);
        Memory<byte> third = await waiting;

        Assert.Equal(10, third.Length);
        third.Span[0] = 77;
        Assert.Equal(77, second.Span[0]);
        Assert.False(first.Span.Overlaps(second.Span));
        Assert.Equal(Segment, file.Finished);
    }
}
