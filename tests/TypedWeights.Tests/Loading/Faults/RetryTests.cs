namespace TypedWeights.Tests.Loading.Faults;

/// <summary>What passes by: the load goes on, at the byte where it stopped.</summary>
public sealed class RetryTests : FaultTest
{
    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_transient_status_is_retried_for_header_and_payload(int status)
    {
        Server.Answer = request => request.Index < 2 || request.Payload is 0 or 2 or 3 ? Respond.Status(status) : null;

        await AssertLoadsAsync();

        Assert.All(Server.Requests.Take(3), request => Assert.False(request.IsPayload));
    }

    [Fact]
    public async Task A_read_whose_connection_is_aborted_is_retried()
    {
        Server.Answer = request => request.IsPayload && request.Attempt == 0 ? Respond.AbortAfter(50_000) : null;

        await AssertLoadsAsync();

        Assert.Contains(Server.Payloads, request => request.Attempt == 1);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_resumed_at_the_byte_where_it_stopped()
    {
        Server.Answer = request => request.IsPayload && request.Attempt == 0 ? Respond.TruncateAfter(50_000) : null;

        await AssertLoadsAsync();

        foreach (FaultRequest first in Server.Payloads.Where(request => request.Attempt == 0))
        {
            // A range with no more bytes than those was whole before the connection ended.
            FaultRequest? second = Server.Payloads.SingleOrDefault(request => request.Attempt == 1 && request.To == first.To);
            Assert.Equal(first.Length > 50_000 ? first.From + 50_000 : null, second?.From);
        }

        Assert.Equal(NoiseFile.Bytes.Length - Server.Files.Values.Single().DataStart, Server.Payloads.Sum(request => request.Sent));
    }

    [Fact]
    public async Task A_chunked_body_that_ends_early_is_resumed_at_the_byte_where_it_stopped()
    {
        Server.Answer = request => request.IsPayload && request.Attempt == 0 ? Respond.EndAfter(1) : null;

        await AssertLoadsAsync();

        Assert.Contains(Server.Payloads, second => Server.Payloads.Any(first => first.To == second.To && first.From + 1 == second.From));
    }

    [Fact]
    public async Task A_read_may_break_off_more_often_than_the_attempts_while_bytes_arrive()
    {
        Server.Answer = request => request.IsPayload && request.Attempt < 2 * Quick.Attempts ? Respond.TruncateAfter(1000) : null;

        await AssertLoadsAsync();

        Assert.Contains(Server.Payloads, request => request.Attempt == 2 * Quick.Attempts);
    }

    [Fact]
    public async Task A_header_that_breaks_off_is_read_again()
    {
        Server.Answer = request => !request.IsPayload && request.Attempt == 0 ? Respond.TruncateAfter(3) : null;

        await AssertLoadsAsync();
    }

    [Fact]
    public async Task A_load_waits_for_a_server_that_starts_late()
    {
        int port = FreePort.Find();
        TransferOptions patient = Quick with { RetryDelay = TimeSpan.FromMilliseconds(50), Attempts = 10 };
        await using WeightLoader loader = Loader(patient);

        Task<WeightSet> load = loader.LoadTensorsAsync(
            $"http://127.0.0.1:{port}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken);
        await Task.Delay(150, TestContext.Current.CancellationToken);
        Assert.False(load.IsCompleted);
        await using FaultServer late = await FaultServer.StartAsync(
            port, server => server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes));

        using WeightSet weights = await load;
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task A_load_continues_with_a_server_that_was_restarted()
    {
        int port = FreePort.Find();
        FaultServer first = await FaultServer.StartAsync(port);
        first.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
        var down = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Answer = request =>
        {
            if (request.Payload == 3)
            {
                down.TrySetResult();
            }

            return request.Payload >= 3 ? Respond.Silence : null;
        };
        TransferOptions patient = Quick with { RetryDelay = TimeSpan.FromMilliseconds(50), Attempts = 10 };
        await using WeightLoader loader = Loader(patient);

        Task<WeightSet> load = loader.LoadTensorsAsync(
            $"http://127.0.0.1:{port}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken);
        await down.Task;
        await first.DisposeAsync();
        await using FaultServer second = await FaultServer.StartAsync(
            port, server => server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes));

        using WeightSet weights = await load;
        NoiseFile.AssertIn(weights);
    }
}
