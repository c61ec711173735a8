namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Nothing comes for longer than the stall time-out: the request is given up and repeated.</summary>
public sealed class StallTests : FaultTest
{
    [Fact]
    public async Task A_body_that_stalls_is_resumed_at_the_byte_where_it_stopped()
    {
        Server.Answer = request => request.Payload == 1 ? Respond.StallAfter(50_000) : null;

        await AssertLoadsAsync();

        FaultRequest stalled = Server.Payloads.ElementAt(1);
        FaultRequest second = Assert.Single(Server.Payloads, request => request.To == stalled.To && request.Attempt == 1);
        Assert.Equal(stalled.From + 50_000, second.From);
        Assert.True(stalled.WasAborted);
    }

    [Fact]
    public async Task A_payload_request_without_a_first_byte_is_sent_again()
    {
        Server.Answer = request => request.Payload == 1 ? Respond.Silence : request.Payload == 2 ? Respond.StallAfter(0) : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_header_request_that_stalls_is_sent_again(bool status)
    {
        Server.Answer = request => request.Index == 0 ? status ? Respond.StallAfter(4) : Respond.Silence : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_that_looks_for_files_in_a_folder_is_sent_again_when_it_stalls(bool status)
    {
        Server.Answer = request => request.Attempt == 0 ? status ? Respond.StallAfter(4) : Respond.Silence : null;

        await AssertLoadsAsync(uri: $"{Server.Address}/");
    }

    [Fact]
    public async Task A_server_that_never_responds_is_an_error_that_says_so()
    {
        Server.Answer = _ => Respond.Silence;

        WeightSourceException error = await AssertFailsAsync(
            "(no|not).*(answer|byte|came|progress)", Quick with { Attempts = 2, StallTimeout = TimeSpan.FromMilliseconds(200) });

        Assert.True(error.IsTransient);
        Assert.Equal(2, Server.Requests.Count);
        Assert.All(Server.Requests, request => Assert.True(request.WasAborted));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Every_range_may_stall_several_times_without_costing_the_whole_stall_timeout(int times)
    {
        // Only what was measured ends a silent read in the time of this test, and no attempt is lost by it.
        Server.Answer = request => request.IsPayload && request.Attempt < times ? Respond.StallAfter(request.Length / 2) : null;

        await AssertLoadsAsync(Quick with { StallTimeout = TimeSpan.FromMinutes(5), Attempts = 1 });

        foreach (IGrouping<long, FaultRequest> part in Server.Payloads.GroupBy(request => request.To))
        {
            FaultRequest[] asked = [.. part.OrderBy(request => request.From)];
            Assert.Equal(times + 1, asked.Length);
            Assert.All(asked.Zip(asked.Skip(1)), pair => Assert.Equal(pair.First.From + (pair.First.Length / 2), pair.Second.From));
        }
    }

    [Fact]
    public async Task One_read_retries_while_the_whole_server_is_silent_and_no_attempt_is_lost()
    {
        var clock = new HandClock();
        var isBack = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.IsPayload ? Respond.After(() => isBack.Task.WaitAsync(request.Aborted), Respond.Serve) : null;
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(Quick with { StallTimeout = TimeSpan.FromMinutes(5), Attempts = 1 }).UseTimeProvider(clock).Build();
        Task<WeightSet> load = loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        await Eventually.BecomesAsync(() => Server.Payloads.Count() == 4, () => "the load did not ask for its payload");

        for (int second = 0; second < 200; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.False(load.IsCompleted);
        Assert.Equal(4, Server.Payloads.Select(request => request.To).Distinct().Count());
        Assert.Single(Server.Payloads.Where(request => request.Attempt > 0).Select(request => request.To).Distinct());

        isBack.SetResult();
        while (!load.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        using WeightSet weights = await load;
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task A_server_that_responds_slowly_to_some_requests_gets_more_time_for_them()
    {
        // Longer than the first patience, and again when it is asked once more.
        Server.Answer = request => request.Payload is >= 0 and < 2 || request.Attempt is 1
            ? Respond.After(() => Task.Delay(1500, request.Aborted), Respond.Serve)
            : null;

        await AssertLoadsAsync(Quick with { StallTimeout = TimeSpan.FromMinutes(5), Attempts = 1 });
    }

    [Fact]
    public async Task A_slow_body_whose_pauses_are_short_is_no_stall()
    {
        // In all it takes longer than the time-out; no pause does.
        Server.Answer = request => request.Payload != 1
            ? null
            : async slow =>
            {
                if (Respond.Head(slow, slow.Length))
                {
                    for (int part = 0; part < 8; part++)
                    {
                        long from = slow.From + (slow.Length * part / 8);
                        await Respond.WriteAsync(slow, from, slow.From + (slow.Length * (part + 1) / 8) - from);
                        await slow.Context.Response.Body.FlushAsync(slow.Aborted);
                        await Task.Delay(300, slow.Aborted);
                    }
                }
            };

        await AssertLoadsAsync();

        Assert.All(Server.Payloads, request => Assert.Equal(0, request.Attempt));
    }
}
