namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Nothing comes for longer than the stall time-out: the request is given up and repeated.</summary>
public sealed class StallTests : FaultTest
{
    [Fact]
    public async Task A_body_that_stops_is_resumed_at_the_byte_where_it_stopped()
    {
        Server.Answer = request => request.Payload == 1 ? Respond.StallAfter(50_000) : null;

        await AssertLoadsAsync();

        FaultRequest stalled = Server.Payloads.ElementAt(1);
        FaultRequest second = Assert.Single(Server.Payloads, request => request.To == stalled.To && request.Attempt == 1);
        Assert.Equal(stalled.From + 50_000, second.From);
        Assert.True(stalled.WasAborted);
    }

    [Fact]
    public async Task A_first_byte_of_payload_that_does_not_come_is_asked_for_again()
    {
        Server.Answer = request => request.Payload == 1 ? Respond.Silence : request.Payload == 2 ? Respond.StallAfter(0) : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_header_that_does_not_come_is_asked_for_again(bool status)
    {
        Server.Answer = request => request.Index == 0 ? status ? Respond.StallAfter(4) : Respond.Silence : null;

        await AssertLoadsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task So_is_what_a_folder_is_looked_through_for(bool status)
    {
        Server.Answer = request => request.Attempt == 0 ? status ? Respond.StallAfter(4) : Respond.Silence : null;

        await AssertLoadsAsync(uri: $"{Server.Address}/");
    }

    [Fact]
    public async Task A_server_that_never_answers_is_an_error_that_says_so()
    {
        Server.Answer = _ => Respond.Silence;

        WeightSourceException error = await AssertFailsAsync(
            "(no|not).*(answer|byte|came|progress)", Quick with { Attempts = 2, StallTimeout = TimeSpan.FromMilliseconds(200) });

        Assert.True(error.IsTransient);
        Assert.Equal(2, Server.Requests.Count);
        Assert.All(Server.Requests, request => Assert.True(request.WasAborted));
    }

    [Fact]
    public async Task Slow_is_not_stalled()
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
