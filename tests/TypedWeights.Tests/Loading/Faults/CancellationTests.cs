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
    public Task A_load_cancelled_before_it_retries_the_opening_ends_at_once() => AssertEndsAsync(
        Patient, _ => Reached(Respond.Status(503)), waitsToRetry: true);

    [Fact]
    public Task A_load_cancelled_before_it_retries_a_read_ends_at_once() => AssertEndsAsync(
        Patient, request => Payload(request, Respond.TruncateAfter(1000)), waitsToRetry: true);

    [Fact]
    public Task A_load_cancelled_during_the_wait_of_a_Retry_After_ends_at_once() => AssertEndsAsync(
        Quick, request => Payload(request, Respond.Status(503, "200")), waitsToRetry: true);

    [Fact]
    public Task A_load_cancelled_during_the_second_stall_of_a_range_ends_at_once() => AssertEndsAsync(
        Patient with { StallTimeout = TimeSpan.FromMilliseconds(300), RetryDelay = TimeSpan.Zero },
        request => request.IsPayload ? request.Attempt == 1 ? Reached(Respond.StallAfter(0)) : Respond.StallAfter(0) : null);

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
        return AssertEndsAsync(
            Patient, _ => null, waitsToRetry: true, $"http://127.0.0.1:{FreePort.Find()}/{NoiseFile.Name}");
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

    [Fact]
    public async Task Bytes_that_arrive_after_a_cancelled_load_reach_no_freed_memory()
    {
        // Large enough that the system takes the memory back at once and hands the same memory out again.
        byte[] large = TestFile.Bytes([TestFile.Noise("large", "U8", 8, 40 << 20)]);
        Server.Files["/large.safetensors"] = new(large);
        var isLate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.Answer = request => request.To != large.Length - 1
            ? null
            : async late =>
            {
                if (Respond.Head(late, late.Length))
                {
                    await Respond.WriteAsync(late, late.From, 1000);
                    await late.Context.Response.Body.FlushAsync(late.Aborted);
                    _reached.TrySetResult();
                    await isLate.Task;
                    await late.Context.Response.Body.WriteAsync(new byte[(int)late.Length - 1000], CancellationToken.None);
                }
            };
        using var cancel = new CancellationTokenSource();
        await using WeightLoader loader = Loader(Patient with { PartSize = 4 << 20 });
        Task<WeightSet> load = loader.LoadTensorsAsync($"{Server.Address}/large.safetensors", cancellationToken: cancel.Token);
        await _reached.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load);

        using Poison poison = Poison.OfSize(40 << 20);
        isLate.SetResult();
        await Server.WaitUntilIdleAsync();

        poison.AssertIntact();
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

    private async Task AssertEndsAsync(
        TransferOptions options, Func<FaultRequest, Fault?> answer, bool waitsToRetry = false, string? uri = null)
    {
        Server.Answer = answer;
        long before = NativeTensors.Count();
        using var cancel = new CancellationTokenSource();
        int requests;
        var log = new LineLogger();
        await using (WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(options).UseLogging(log).Build())
        {
            Task<WeightSet> load = loader.LoadTensorsAsync(uri ?? Uri, cancellationToken: cancel.Token);
            Task first = await Task.WhenAny(_reached.Task, load, Task.Delay(Guard, TestContext.Current.CancellationToken));
            Assert.True(first == _reached.Task, $"the moment to cancel never came; the load is {load.Status} {load.Exception}");

            if (waitsToRetry)
            {
                await Eventually.BecomesAsync(() => log.Warnings.Count > 0, () => "no attempt failed");
            }

            Assert.False(load.IsCompleted, $"the load is {load.Status} {load.Exception}");
            await cancel.CancelAsync();

            OperationCanceledException ended = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load.WaitAsync(Guard));
            Assert.Equal(cancel.Token, ended.CancellationToken);
            NativeTensors.AssertNoneSince(before);

            // The cancellation ended every request, not the disposal of the loader. No further request is sent.
            await Server.WaitUntilIdleAsync();
            requests = Server.Requests.Count;
        }

        await Server.WaitUntilDisconnectedAsync();
        Assert.Equal(requests, Server.Requests.Count);
    }

    private Fault? Payload(FaultRequest request, Fault fault) => request.IsPayload ? Reached(fault) : null;

    private Fault Reached(Fault fault)
    {
        _reached.TrySetResult();
        return fault;
    }
}
