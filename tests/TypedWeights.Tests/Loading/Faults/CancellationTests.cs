namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A load that is cancelled ends at once, whatever it waits for, and takes its requests along.</summary>
public sealed class CancellationTests : FaultTest
{
    // A second is what is promised; this is the guard of a busy machine.
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(1);

    private static readonly TransferOptions Patient = Quick with
    {
        StallTimeout = TimeSpan.FromMinutes(5),
        RetryDelay = TimeSpan.FromMinutes(5),
    };

    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public Task A_load_cancelled_before_the_first_response_ends_at_once() => AssertEndsAsync(Patient, _ => Reached(Respond.Silence));

    [Fact]
    public Task A_load_cancelled_during_the_first_response_ends_at_once() => AssertEndsAsync(Patient, _ => Reached(Respond.StallAfter(4)));

    [Fact]
    public Task A_load_cancelled_while_the_header_arrives_ends_at_once() => AssertEndsAsync(
        Patient, request => !request.IsPayload && request.Index > 0 ? Reached(Respond.StallAfter(20)) : Payload(request, Respond.Silence));

    [Fact]
    public Task A_load_cancelled_before_a_payload_response_ends_at_once() => AssertEndsAsync(
        Patient, request => request.Payload >= 2 ? Reached(Respond.Silence) : null);

    [Fact]
    public Task A_load_cancelled_while_payload_arrives_ends_at_once() =>
        AssertEndsAsync(Patient, request => request.Payload >= 2 ? Reached(Respond.StallAfter(1000)) : null);

    [Fact]
    public Task A_load_cancelled_while_every_payload_request_hangs_ends_at_once() =>
        AssertEndsAsync(Patient, request => Payload(request, Respond.StallAfter(0)));

    [Fact]
    public Task A_load_cancelled_before_it_retries_the_opening_ends_at_once() => AssertEndsAsync(Patient, _ => Reached(Respond.Status(503)));

    [Fact]
    public Task A_load_cancelled_before_it_retries_a_read_ends_at_once() => AssertEndsAsync(
        Patient, request => Payload(request, Respond.TruncateAfter(1000)));

    [Fact]
    public Task A_load_cancelled_during_the_wait_of_a_Retry_After_ends_at_once() => AssertEndsAsync(
        Quick, request => Payload(request, Respond.Status(503, "200")));

    [Fact]
    public Task A_load_cancelled_during_the_second_stall_of_a_range_ends_at_once() => AssertEndsAsync(
        Patient with { StallTimeout = TimeSpan.FromMilliseconds(300), RetryDelay = TimeSpan.Zero },
        request => request.IsPayload ? request.Attempt == 1 ? Reached(Respond.StallAfter(0)) : Respond.StallAfter(0) : null);

    [Fact]
    public Task A_load_cancelled_while_a_range_and_its_hedge_hang_ends_at_once()
    {
        long last = NoiseFile.Bytes.Length - 1;
        return AssertEndsAsync(
            Patient with { Hedging = true },
            request => request.To == last ? request.Attempt == 1 ? Reached(Respond.StallAfter(10)) : Respond.StallAfter(10) : null);
    }

    [Fact]
    public Task A_load_cancelled_while_a_whole_file_is_read_in_sequence_ends_at_once() => AssertEndsAsync(Patient, _ => Reached(async request =>
    {
        request.Context.Response.ContentLength = request.File!.Bytes.Length;
        await Respond.WriteAsync(request, 0, 1_000_000);
        await Task.Delay(Timeout.Infinite, request.Aborted);
    }));

    [Fact]
    public Task A_load_cancelled_while_the_target_of_a_redirect_hangs_ends_at_once() => AssertEndsAsync(
        Patient,
        request => request.Path.EndsWith("?2", StringComparison.Ordinal) ? Reached(Respond.Silence) : Respond.Redirect($"{Uri}?2"));

    [Fact]
    public Task A_load_cancelled_while_a_rate_limit_slows_it_ends_at_once() => AssertEndsAsync(
        Patient with { BytesPerSecond = 20_000 }, request => Payload(request, Respond.Serve));

    [Fact]
    public Task A_load_cancelled_while_no_server_accepts_connections_ends_at_once()
    {
        _reached.SetResult();
        return AssertEndsAsync(Patient, _ => null, $"http://127.0.0.1:{FreePort.Find()}/{NoiseFile.Name}");
    }

    [Fact]
    public async Task A_load_with_a_cancelled_token_sends_no_request()
    {
        await using WeightLoader loader = Loader();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => loader.LoadTensorsAsync(Uri, cancellationToken: new CancellationToken(canceled: true)));

        Assert.Empty(Server.Requests);
    }

    [Fact]
    public async Task A_load_cancelled_at_any_of_its_requests_frees_everything_or_loads_every_byte()
    {
        await AssertLoadsAsync();
        int requests = Server.Requests.Count;
        for (int at = 0; at < requests; at++)
        {
            long before = NativeTensors.Count();
            using var cancel = new CancellationTokenSource();
            int left = at;
            Server.Answer = _ =>
            {
                if (Interlocked.Decrement(ref left) == -1)
                {
                    cancel.Cancel();
                }

                return null;
            };
            await using WeightLoader loader = Loader();

            // The last of them may come too late to matter.
            using WeightSet? weights = await LoadOrNullAsync(loader, cancel.Token);
            if (weights is null)
            {
                NativeTensors.AssertNoneSince(before);
            }
            else
            {
                NoiseFile.AssertIn(weights);
            }

            await Server.WaitUntilIdleAsync();
        }
    }

    private async Task<WeightSet?> LoadOrNullAsync(WeightLoader loader, CancellationToken cancellationToken)
    {
        try
        {
            return await loader.LoadTensorsAsync(Uri, cancellationToken: cancellationToken);
        }
        catch (OperationCanceledException e) when (e.CancellationToken == cancellationToken)
        {
            return null;
        }
    }

    private async Task AssertEndsAsync(TransferOptions options, Func<FaultRequest, Fault?> answer, string? uri = null)
    {
        Server.Answer = answer;
        long before = NativeTensors.Count();
        using var cancel = new CancellationTokenSource();
        await using (WeightLoader loader = Loader(options))
        {
            Task<WeightSet> load = loader.LoadTensorsAsync(uri ?? Uri, cancellationToken: cancel.Token);
            Task first = await Task.WhenAny(_reached.Task, load, Task.Delay(Guard, TestContext.Current.CancellationToken));
            Assert.True(first == _reached.Task, $"the moment to cancel never came; the load is {load.Status} {load.Exception}");

            // On with it, to where it waits.
            await Task.Delay(100, TestContext.Current.CancellationToken);
            Assert.False(load.IsCompleted, $"the load is {load.Status} {load.Exception}");
            await cancel.CancelAsync();

            OperationCanceledException ended = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load.WaitAsync(Guard));
            Assert.Equal(cancel.Token, ended.CancellationToken);
            NativeTensors.AssertNoneSince(before);

            // With the loader still there: nothing is under way, and nothing begins.
            await Server.WaitUntilIdleAsync();
            int requests = Server.Requests.Count;
            await Task.Delay(100, TestContext.Current.CancellationToken);
            Assert.Equal(requests, Server.Requests.Count);
        }

        await Server.WaitUntilDisconnectedAsync();
    }

    private Fault? Payload(FaultRequest request, Fault fault) => request.IsPayload ? Reached(fault) : null;

    private Fault Reached(Fault fault)
    {
        _reached.TrySetResult();
        return fault;
    }
}
