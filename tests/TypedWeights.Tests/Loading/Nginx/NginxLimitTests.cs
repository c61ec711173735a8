namespace TypedWeights.Tests.Loading.Nginx;

/// <summary>An nginx that refuses what comes too fast, or all of it.</summary>
public sealed class NginxLimitTests : NginxTest
{
    private static readonly TransferOptions Patient = Quick with { Attempts = 12 };

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(444)]
    public async Task Requests_beyond_the_request_rate_of_the_server_are_retried(int status)
    {
        await using NginxServer nginx = await StartAsync(
            $"limit_req zone=all; limit_req_status {status};", "limit_req_zone $binary_remote_addr zone=all:1m rate=12r/s;");

        await AssertLoadsAsync(Uri(nginx), Patient);

        await nginx.WaitForRequestsAsync(1);
        Assert.Contains(nginx.Requests, request => request.Status == status);
        Assert.All(nginx.Requests, request => Assert.True(request.Status == 206 || request.Status == status));
    }

    [Fact]
    public async Task Connections_beyond_the_connection_limit_of_the_server_are_retried()
    {
        await using NginxServer nginx = await StartAsync(
            "limit_conn all 1; limit_rate 4m;", "limit_conn_zone $binary_remote_addr zone=all:1m;");

        await AssertLoadsAsync(Uri(nginx), Patient);

        Assert.Contains(nginx.Requests, request => request.Status == 503);
    }

    [Fact]
    public async Task A_load_waits_as_long_as_the_Retry_After_of_nginx_says()
    {
        await using NginxServer nginx = await StartAsync(
            "limit_req zone=all burst=4 nodelay; limit_req_status 429; error_page 429 @busy; "
                + "location @busy { add_header Retry-After 1 always; return 429; }",
            "limit_req_zone $binary_remote_addr zone=all:1m rate=10r/s;");

        await AssertLoadsAsync(Uri(nginx), Patient);

        // Ten have gone by in the second that each of the refused ones stays away: with less patience there would be many more.
        Assert.InRange(nginx.Requests.Count(request => request.Status == 429), 1, 12);
    }

    [Fact]
    public async Task A_server_that_closes_every_request_without_a_response_is_given_up_after_the_attempts()
    {
        await using NginxServer nginx = await StartAsync("location / { return 444; }");

        WeightSourceException error = await AssertFailsAsync("3 attempts", Uri(nginx), Quick with { Attempts = 3 });

        Assert.True(error.IsTransient);

        // The platform's client repeats each up to three times by itself.
        Assert.InRange(nginx.Requests.Count(request => request.Status == 444), 3, 3 * 4);
    }
}
