using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Transfer;

public sealed class TransferContextTests
{
    private readonly TransferContext _loader = new(time: new HandClock());

    [Theory]
    [InlineData("https://host/a.safetensors", "https://user:password@host/folder/b.safetensors?sig=1", true)]
    [InlineData("s3://bucket/a.safetensors", "s3://bucket/b.safetensors", true)]
    [InlineData("https://host/a.safetensors", "https://host:8443/a.safetensors", false)]
    [InlineData("https://host/a.safetensors", "http://host/a.safetensors", false)]
    [InlineData("s3://bucket/a.safetensors", "s3://other/a.safetensors", false)]
    public void Simultaneous_loads_share_the_patience_and_turns_of_one_origin(string one, string other, bool isShared)
    {
        TransferContext first = _loader.OfOneLoad(WeightUri.Parse(one));
        TransferContext second = _loader.OfOneLoad(WeightUri.Parse(other));

        Assert.Equal(isShared, ReferenceEquals(first.Turns, second.Turns));
        Assert.Equal(isShared, ReferenceEquals(first.Patience, second.Patience));
    }

    [Fact]
    public async Task A_read_sends_its_request_at_once_if_no_read_waits_and_otherwise_queues()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        TransferContext load = _loader.OfOneLoad(WeightUri.Parse("https://host/a.safetensors"));
        Turns turns = load.Turns;
        await turns.EnterAsync(token).AsTask().WaitAsync(TimeSpan.Zero, token);

        // The clock stands still, so no read stops waiting.
        Task unserved = turns.WaitAsync(token).AsTask();
        Task next = turns.EnterAsync(token).AsTask();
        Assert.Equal((2, false, false), (turns.Waiting, unserved.IsCompleted, next.IsCompleted));

        turns.Pass();
        await unserved;
        Assert.Equal((1, false), (turns.Waiting, next.IsCompleted));

        turns.Pass();
        await next;
    }
}
