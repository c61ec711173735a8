namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Statuses that no patience mends: each is named at once, for the header as for payload.</summary>
public sealed class RefusedTests : FaultTest
{
    [Theory]
    [InlineData(401, "credentials.*401|401.*credentials")]
    [InlineData(403, "denied.*403|403.*denied")]
    [InlineData(404, "no such file.*404")]
    [InlineData(410, "no such file.*410")]
    [InlineData(416, "416")]
    [InlineData(418, "418")]
    [InlineData(501, "501")]
    public async Task A_permanent_error_status_ends_the_opening_after_one_request(int status, string expected)
    {
        Server.Answer = _ => Respond.Status(status);

        WeightSourceException error = await AssertFailsAsync(expected);

        Assert.Single(Server.Requests);
        Assert.Equal(status is 404 or 410, error.IsNotFound);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData(401, "401")]
    [InlineData(403, "403")]
    [InlineData(404, "404")]
    [InlineData(410, "410")]
    [InlineData(416, "416")]
    public async Task A_permanent_error_status_ends_a_load_without_a_retry(int status, string expected)
    {
        Server.Answer = request => request.Payload >= 3 ? Respond.Status(status) : null;

        await AssertFailsAsync(expected);

        Assert.All(Server.Payloads, request => Assert.Equal(0, request.Attempt));
    }

    [Fact]
    public async Task A_host_name_that_does_not_resolve_is_an_error_that_says_so()
    {
        // .invalid is reserved for names that never exist; it is no address of this machine, so nothing is waited for.
        WeightSourceException error = await AssertFailsAsync("resolve", uri: $"http://no-such-host.invalid/{NoiseFile.Name}");

        Assert.StartsWith("http://no-such-host.invalid/", error.Message, StringComparison.Ordinal);
    }
}
