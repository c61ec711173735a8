using System.Globalization;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A server that says when to come back is not asked before.</summary>
public sealed class RetryAfterTests : FaultTest
{
    // Clocks of timers and of the day differ by a little.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(30);

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_load_waits_for_the_seconds_of_a_Retry_After(int status)
    {
        Server.Answer = request => request.Payload == 0 ? Respond.Status(status, "1") : null;

        await AssertLoadsAsync();

        FaultRequest refused = Server.Payloads.First();
        FaultRequest second = Assert.Single(Server.Payloads, request => request.To == refused.To && request.Attempt == 1);
        Assert.True(second.At >= refused.At + TimeSpan.FromSeconds(1) - Tick, $"{second.At - refused.At} after the refusal");
    }

    [Fact]
    public async Task A_load_waits_until_the_date_of_a_Retry_After()
    {
        // Dates have whole seconds: this one lies one to two seconds ahead.
        var due = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 2);
        Server.Answer = request => request.Index == 0 ? Respond.Status(503, due.ToString("R", CultureInfo.InvariantCulture)) : null;

        await AssertLoadsAsync();

        Assert.True(Server.Requests.ElementAt(1).At >= due - Tick, $"{due - Server.Requests.ElementAt(1).At} too early");
    }

    [Theory]
    [InlineData("Retry-After", "301")]
    [InlineData("Retry-After", "2147483648")]
    [InlineData("Retry-After", "99999999999999999999999")]
    [InlineData("RateLimit", "\"api\";r=0;t=99999999999999999999999")]
    [InlineData("RateLimit-Reset", "99999999999999999999999")]
    public async Task A_wait_that_is_longer_than_a_load_accepts_is_an_error_after_one_request(string name, string value)
    {
        Server.Answer = _ => request =>
        {
            request.Context.Response.StatusCode = 503;
            request.Context.Response.Headers[name] = value;
            return Task.CompletedTask;
        };

        await AssertFailsAsync("requests a wait of [0-9]+ s, and a load waits 300 s at most");

        Assert.Single(Server.Requests);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("Wed, 21 Oct 2015 07:28:00 GMT")]
    public async Task A_Retry_After_that_is_past_or_not_a_time_is_ignored(string retryAfter)
    {
        Server.Answer = request => request.Payload == 0 ? Respond.Status(503, retryAfter) : null;

        await AssertLoadsAsync();
    }
}
