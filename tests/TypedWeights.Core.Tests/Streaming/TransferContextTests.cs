using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Streaming;

public sealed class TransferContextTests : IDisposable
{
    private readonly TransferContext _loader = new();

    public void Dispose() => _loader.Dispose();

    [Theory]
    [InlineData("https://host/a.safetensors", "https://user:password@host/folder/b.safetensors?sig=1", true)]
    [InlineData("s3://bucket/a.safetensors", "s3://bucket/b.safetensors", true)]
    [InlineData("https://host/a.safetensors", "https://host:8443/a.safetensors", false)]
    [InlineData("https://host/a.safetensors", "http://host/a.safetensors", false)]
    [InlineData("s3://bucket/a.safetensors", "s3://other/a.safetensors", false)]
    public void Simultaneous_loads_share_the_patience_and_turns_of_one_origin(string one, string other, bool isShared)
    {
        using TransferContext first = _loader.OfOneLoad(WeightUri.Parse(one));
        using TransferContext second = _loader.OfOneLoad(WeightUri.Parse(other));

        Assert.Equal(isShared, ReferenceEquals(first.Turns, second.Turns));
        Assert.Equal(isShared, ReferenceEquals(first.Patience, second.Patience));
    }

    [Fact]
    public void The_patience_and_turns_of_an_origin_are_dropped_after_its_last_load()
    {
        WeightUri uri = WeightUri.Parse("https://host/a.safetensors");
        TransferContext first = _loader.OfOneLoad(uri), second = _loader.OfOneLoad(uri);
        first.Dispose();
        using (TransferContext third = _loader.OfOneLoad(uri))
        {
            Assert.Same(second.Turns, third.Turns);
        }

        second.Dispose();
        using TransferContext later = _loader.OfOneLoad(uri);

        Assert.NotSame(second.Turns, later.Turns);
        Assert.NotSame(second.Patience, later.Patience);
    }

    [Fact]
    public async Task A_read_sends_its_request_at_once_if_no_read_waits_and_otherwise_queues()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using TransferContext load = _loader.OfOneLoad(WeightUri.Parse("https://host/a.safetensors"));
        Turns turns = load.Turns;
        await turns.EnterAsync(token).AsTask().WaitAsync(TimeSpan.Zero, token);

        // While bytes come, nobody who waits gives up waiting.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(token);
        Task arriving = Task.Run(
            async () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    load.Patience.Arrived();
                    await Task.Delay(20, CancellationToken.None);
                }
            },
            CancellationToken.None);
        Task unserved = turns.WaitAsync(token).AsTask();
        Task next = turns.EnterAsync(token).AsTask();
        Assert.Equal((2, false, false), (turns.Waiting, unserved.IsCompleted, next.IsCompleted));

        turns.Pass();
        await unserved;
        Assert.Equal((1, false), (turns.Waiting, next.IsCompleted));

        turns.Pass();
        await next;
        await ended.CancelAsync();
        await arriving;
    }
}
