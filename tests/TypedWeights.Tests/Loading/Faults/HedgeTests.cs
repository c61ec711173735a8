using TorchSharp;
using TypedWeights.Interop;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>
/// The last part hangs on one connection and is read over another. What the loser still sends, and it sends other bytes than the file
/// has, reaches neither the tensors nor memory that was freed.
/// </summary>
public sealed class HedgeTests : FaultTest
{
    // Nothing but a hedge ends a hanging read in the time of these tests.
    private static readonly TransferOptions Hedged = Quick with { Hedging = true, StallTimeout = TimeSpan.FromMinutes(5) };

    private static readonly long Last = NoiseFile.Bytes.Length - 1;

    // Large enough that the system takes the memory back at once and gives the same out again.
    private static readonly byte[] Large = TestFile.Bytes([TestFile.Noise("large", "U8", 8, 40 << 20)]);

    private static readonly TransferOptions HedgedLarge = Hedged with { PartSize = 4 << 20 };

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public async Task The_rest_of_a_hanging_last_range_is_read_over_another_connection(int bytes)
    {
        Server.Answer = request => request.To == Last && request.Attempt == 0 ? Respond.StallAfter(bytes) : null;

        await AssertLoadsAsync(Hedged);

        FaultRequest[] asked = [.. Server.Payloads.Where(request => request.To == Last)];
        Assert.Equal(2, asked.Length);
        Assert.Equal(asked[0].From + bytes, asked[1].From);
        Assert.True(asked[0].WasAborted);
    }

    [Fact]
    public async Task A_last_range_without_a_first_byte_is_read_over_another_connection()
    {
        Server.Answer = request => request.To == Last && request.Attempt == 0 ? Respond.Silence : null;

        await AssertLoadsAsync(Hedged);
    }

    [Fact]
    public async Task Without_hedging_a_hanging_last_range_is_given_up_only_after_the_stall_timeout()
    {
        Server.Answer = request => request.To == Last && request.Attempt == 0 ? Respond.StallAfter(1000) : null;

        await AssertLoadsAsync(Hedged with { Hedging = false, StallTimeout = TimeSpan.FromSeconds(1) });

        Assert.Single(Server.Payloads, request => request.To == Last && request.Attempt == 0 && request.WasAborted);
    }

    [Fact]
    public async Task A_hanging_last_range_is_hedged_once_and_then_retried_after_the_stall_timeout()
    {
        // Both hang: the time-out of the stall ends it.
        Server.Answer = request => request.To == Last && request.Attempt < 2 ? Respond.StallAfter(10) : null;

        await AssertLoadsAsync(Hedged with { StallTimeout = TimeSpan.FromSeconds(2) });

        Assert.InRange(Server.Payloads.Count(request => request.To == Last), 3, 4);
    }

    [Fact]
    public async Task A_failed_hedge_does_not_fail_the_load()
    {
        var hedgeFailed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.To != Last
            ? null
            : request.Attempt switch
            {
                0 => Late(hedgeFailed.Task, NoiseFile.Bytes),
                _ => async refused =>
                {
                    await Respond.Status(404)(refused);
                    hedgeFailed.TrySetResult();
                }
            };

        await AssertLoadsAsync(Hedged);
    }

    [Fact]
    public async Task Bytes_of_a_request_that_lost_to_its_hedge_reach_no_tensor()
    {
        for (int round = 0; round < 5; round++)
        {
            var won = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Server.Answer = request => request.To != Last
                ? null
                : LoserThenWinner(request, won);

            await AssertLoadsAsync(Hedged);
        }
    }

    [Fact]
    public async Task Bytes_of_a_request_that_lost_to_its_hedge_reach_no_freed_memory_after_the_load()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "memory at an address of one's choice is asked of Linux");
        Server.Files["/large.safetensors"] = new(Large);

        // Another thread may be given the memory first: then there is nothing to look at, and a further load has to tell.
        bool hasBeenLookedAt = false;
        for (int round = 0; round < 10 && !hasBeenLookedAt; round++)
        {
            hasBeenLookedAt = await LoseAfterTheLoadAsync();
        }

        Assert.True(hasBeenLookedAt, "what was freed was somebody else's at once, ten times");
    }

    [Fact]
    public async Task Bytes_that_arrive_after_a_cancelled_load_reach_no_freed_memory()
    {
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request =>
        {
            if (request.To != Large.Length - 1)
            {
                return null;
            }

            if (request.Attempt == 1)
            {
                hanging.TrySetResult();
            }

            return Late(late.Task, new byte[Large.Length]);
        };
        Server.Files["/large.safetensors"] = new(Large);
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader(HedgedLarge);
        Task<WeightSet> load = loader.LoadTensorsAsync($"{Server.Address}/large.safetensors", cancellationToken: cancel.Token);
        await hanging.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load);

        using Poison poison = Poison.OfSize(40 << 20);
        late.SetResult();
        await Server.WaitUntilIdleAsync();
        await Task.Delay(100, TestContext.Current.CancellationToken);

        poison.AssertIntact();
    }

    /// <returns>Whether the memory that the load gave back could be had, and was seen not to change.</returns>
    private async Task<bool> LoseAfterTheLoadAsync()
    {
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        Server.Answer = request =>
        {
            bool isFirst = request.To == Large.Length - 1 && Interlocked.Increment(ref asked) == 1;
            return isFirst ? Late(late.Task, new byte[Large.Length]) : null;
        };
        await using WeightLoader loader = Loader(HedgedLarge);

        // The host's memory, where a read lands in the tensor itself and which goes back to the system with it.
        WeightSet weights = await loader.LoadTensorsAsync(
            $"{Server.Address}/large.safetensors",
            new TensorLoadOptions { Device = torch.CPU },
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(Large.AsSpan(^(40 << 20)).SequenceEqual(TensorBytes.Of(weights["large"])));
        Assert.Equal(2, asked);
        nint address = TensorData.Address(weights["large"]);
        weights.Dispose();

        using Poison? poison = Poison.InPlaceOf(address, 40 << 20);
        late.SetResult();
        await Server.WaitUntilIdleAsync();
        await Task.Delay(100, TestContext.Current.CancellationToken);

        poison?.AssertIntact();
        return poison is not null;
    }

    // The first answer to a part waits until the second has been sent to its end, and then sends other bytes, a few at a time, so that
    // it is never whole.
    private static Fault LoserThenWinner(FaultRequest part, TaskCompletionSource won) => part.Attempt % 2 == 0
        ? async loser =>
        {
            if (Respond.Head(loser, loser.Length))
            {
                await Respond.WriteAsync(loser, loser.From, 1000);
                await won.Task.WaitAsync(loser.Aborted);
                for (int sent = 1000; sent < loser.Length - 1000; sent += 500)
                {
                    await loser.Context.Response.Body.WriteAsync(new byte[500], loser.Aborted);
                    await Task.Delay(1, loser.Aborted);
                }

                await Task.Delay(Timeout.Infinite, loser.Aborted);
            }
        }
    : async winner =>
    {
        await Respond.Serve(winner);
        won.TrySetResult();
    };

    // Begins rightly, and goes on with what it is given once it may; to its very end.
    private static Fault Late(Task may, byte[] bytes) => async request =>
    {
        if (Respond.Head(request, request.Length))
        {
            int begin = (int)request.From;
            await Respond.WriteAsync(request, begin, 1000);
            await request.Context.Response.Body.FlushAsync(request.Aborted);

            // Whether the client has gone by then is not asked: these bytes are sent.
            await may;
            await request.Context.Response.Body.WriteAsync(
                bytes.AsMemory(begin + 1000, (int)request.Length - 1000), CancellationToken.None);
        }
    };
}
