namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Patience ends: one error that says what was tried.</summary>
public sealed class BudgetTests : FaultTest
{
    [Theory]
    [InlineData(3)]
    [InlineData(1)]
    public async Task A_range_that_always_fails_ends_the_load_after_the_configured_attempts(int attempts)
    {
        long last = NoiseFile.Bytes.Length - 1;
        Server.Answer = request => request.IsPayload && request.To == last ? Respond.Status(502) : null;

        WeightSourceException error = await AssertFailsAsync("502", Quick with { Attempts = attempts });

        Assert.StartsWith(Uri, error.Message, StringComparison.Ordinal);
        Assert.Equal(attempts, Server.Requests.Count(request => request.To == last));
        if (attempts > 1)
        {
            Assert.Matches($@"\b{attempts} (times|attempts|tries)", error.Message);
        }
    }

    [Fact]
    public async Task A_header_that_always_fails_ends_the_load_after_the_configured_attempts()
    {
        Server.Answer = _ => Respond.Status(500);

        await AssertFailsAsync("500.*4 (times|attempts|tries)|4 (times|attempts|tries).*500");

        Assert.Equal(4, Server.Requests.Count);
    }

    [Fact]
    public async Task A_load_gives_up_a_busy_server_although_another_load_of_the_loader_receives_bytes()
    {
        var givenUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FaultServer busy = await FaultServer.StartAsync();
        busy.Answer = _ => Respond.Status(503);
        Server.Answer = request => !request.IsPayload ? null : async drip =>
        {
            // A few bytes at a time until the other load has ended; what is left is then cut off and asked for again.
            long sent = 0;
            for (_ = Respond.Head(drip, drip.Length); sent < drip.Length - 100 && !givenUp.Task.IsCompleted; sent += 100)
            {
                await Respond.WriteAsync(drip, drip.From + sent, 100);
                await Task.Delay(1, drip.Aborted);
            }

            await Respond.WriteAsync(drip, drip.From + sent, drip.Length - sent);
        };
        await using WeightLoader loader = Loader(Quick);
        Task<WeightSet> other = loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        await Eventually.BecomesAsync(() => Server.Payloads.Any(), () => "the other load asked for no payload");

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(
            $"{busy.Address}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken));
        givenUp.SetResult();

        Assert.Contains("4 attempts", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, busy.Requests.Count);
        using WeightSet weights = await other;
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task Different_failures_of_one_read_count_against_the_same_attempts()
    {
        long last = NoiseFile.Bytes.Length - 1;
        Server.Answer = request => !request.IsPayload || request.To != last
            ? null
            : request.Attempt switch
            {
                0 => Respond.Status(504),
                1 => Respond.EndAfter(0),
                2 => Respond.Silence,
                _ => Respond.Status(500),
            };

        // Below the least patience there is no other silence than the whole one, which counts.
        await AssertFailsAsync(@"\b4 (times|attempts|tries)", Quick with { StallTimeout = TimeSpan.FromMilliseconds(500) });

        Assert.Equal(4, Server.Requests.Count(request => request.To == last));
    }

    [Fact]
    public async Task A_server_that_accepts_no_connection_is_one_error_that_counts_the_attempts()
    {
        string address = $"http://127.0.0.1:{FreePort.Find()}/{NoiseFile.Name}";

        WeightSourceException error = await AssertFailsAsync(
            @"\b2 attempts.*no connection", Quick with { Attempts = 2 }, address);

        Assert.True(error.IsTransient);
        Assert.StartsWith(address, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_is_not_transient_is_not_retried()
    {
        Server.Answer = request => request.Payload == 0 ? Respond.Status(404) : null;

        await AssertFailsAsync("404");

        Assert.Single(Server.Requests, request => request.To == Server.Payloads.First().To);
    }
}
