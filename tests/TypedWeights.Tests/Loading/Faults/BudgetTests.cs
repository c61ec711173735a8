namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Patience ends: one error that says what was tried.</summary>
public sealed class BudgetTests : FaultTest
{
    [Theory]
    [InlineData(3)]
    [InlineData(1)]
    public async Task A_range_that_never_comes_ends_the_load_after_the_attempts_of_the_options(int attempts)
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
    public async Task So_does_a_header_that_never_comes()
    {
        Server.Answer = _ => Respond.Status(500);

        await AssertFailsAsync("500.*4 (times|attempts|tries)|4 (times|attempts|tries).*500");

        Assert.Equal(4, Server.Requests.Count);
    }

    [Fact]
    public async Task Different_failures_of_one_read_count_together()
    {
        long last = NoiseFile.Bytes.Length - 1;
        Server.Answer = request => !request.IsPayload || request.To != last
            ? null
            : request.Attempt switch
            {
                0 => Respond.Status(504),
                1 => Respond.AbortAfter(0),
                2 => Respond.Silence,
                _ => Respond.Status(500),
            };

        await AssertFailsAsync(@"\b4 (times|attempts|tries)");

        Assert.Equal(4, Server.Requests.Count(request => request.To == last));
    }

    [Fact]
    public async Task Nobody_there_is_one_error_too()
    {
        string address = $"http://127.0.0.1:{FreePort.Find()}/{NoiseFile.Name}";

        WeightSourceException error = await AssertFailsAsync(
            @"\b2 attempts.*no connection", Quick with { Attempts = 2 }, address);

        Assert.True(error.IsTransient);
        Assert.StartsWith(address, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_no_retry_mends_is_not_tried_again()
    {
        Server.Answer = request => request.Payload == 0 ? Respond.Status(404) : null;

        await AssertFailsAsync("404");

        Assert.Single(Server.Requests, request => request.To == Server.Payloads.First().To);
    }
}
