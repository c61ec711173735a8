using System.Collections.Concurrent;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Transient failures: the load continues at the first missing byte.</summary>
public sealed class RetryTests : FaultTest
{
    private static readonly TransferOptions Patient = new()
    {
        MinConnections = 2,
        MaxConnections = 2,
        PartSize = 1 << 20,
        Attempts = 4,
        RetryDelay = TimeSpan.FromMilliseconds(5),
    };

    private readonly TestFile.Entry[] _entries = [.. Enumerable.Range(0, 4).Select(i => TestFile.Noise($"t{i}", "U8", 8, 1 << 20))];
    private readonly OwnStore _store;
    private readonly long _tensors = NativeTensors.Count();

    public RetryTests() => _store = new OwnStore(TestFile.Bytes(_entries));

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
        var log = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(patient).UseLogging(log).Build();

        Task<WeightSet> load = loader.LoadTensorsAsync(
            $"http://127.0.0.1:{port}/{NoiseFile.Name}", cancellationToken: TestContext.Current.CancellationToken);
        await Eventually.BecomesAsync(() => log.Warnings.Count > 0, () => "no attempt failed");
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

    [Fact]
    public async Task A_range_that_breaks_off_is_resumed_at_the_byte_where_it_stopped()
    {
        var reads = new ConcurrentQueue<(long Position, int Count)>();
        var broken = new ConcurrentDictionary<long, bool>();
        _store.Read = (_, destination, position, _) =>
        {
            long part = (position - _store.DataStart) >> 20;
            if ((position - _store.DataStart) % (1 << 20) > 300_000 && broken.TryAdd(part, true))
            {
                throw Broken();
            }

            int count = _store.Take(destination, position, 100_001);
            reads.Enqueue((position, count));
            return ValueTask.FromResult(count);
        };

        using WeightSet weights = await LoadOwnAsync(Patient);

        Assert.Equal(4, broken.Count);
        AssertWhole(weights);
        long next = _store.DataStart;
        Assert.All(reads.OrderBy(read => read.Position), read =>
        {
            Assert.Equal(next, read.Position);
            next += read.Count;
        });
    }

    [Fact]
    public async Task A_stalled_read_of_a_custom_source_is_retried()
    {
        _store.Read = async (number, destination, position, token) =>
        {
            if (number < 2)
            {
                await Task.Delay(Timeout.Infinite, token);
            }

            return _store.Take(destination, position);
        };

        using WeightSet weights = await LoadOwnAsync(Patient with { StallTimeout = TimeSpan.FromMilliseconds(100) });

        AssertWhole(weights);
    }

    [Fact]
    public async Task A_slow_read_whose_pauses_are_short_is_no_stall()
    {
        _store.Read = async (_, destination, position, token) =>
        {
            // In all a range takes longer than a stall may; no pause does.
            await Task.Delay(200, token);
            return _store.Take(destination, position, 100_000);
        };

        using WeightSet weights = await LoadOwnAsync(Patient with { StallTimeout = TimeSpan.FromMilliseconds(1500), Attempts = 1 });

        AssertWhole(weights);
    }

    [Fact]
    public async Task A_read_that_its_source_cancels_by_itself_is_retried()
    {
        _store.Read = (number, destination, position, _) => number < 2
            ? throw new TaskCanceledException("the client's own time-out")
            : ValueTask.FromResult(_store.Take(destination, position));

        using WeightSet weights = await LoadOwnAsync(Patient);

        AssertWhole(weights);
    }

    [Fact]
    public async Task One_error_lists_the_failures_of_all_attempts()
    {
        int count = 0;
        _store.Read = (_, _, _, _) => throw (Interlocked.Increment(ref count) == 1 ? Broken() : Broken("the server was busy."));

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadOwnAsync(Patient with { MinConnections = 1, MaxConnections = 1 }));

        Assert.StartsWith($"{OwnStore.Uri}: gave up after 4 attempts in ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(": the line broke. | 3 × the server was busy.", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
        Assert.Equal(4, count);
        NativeTensors.AssertNoneSince(_tensors);
    }

    [Fact]
    public async Task A_failure_that_is_not_transient_is_not_retried()
    {
        int count = 0;
        _store.Read = (_, _, _, _) =>
        {
            Interlocked.Increment(ref count);
            throw new WeightSourceException(OwnStore.Uri, "the file was replaced.");
        };

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadOwnAsync(Patient));

        Assert.Equal($"{OwnStore.Uri}: the file was replaced.", error.Message);
        Assert.InRange(count, 1, 2);
        NativeTensors.AssertNoneSince(_tensors);
    }

    [Fact]
    public async Task A_source_that_breaks_off_after_every_byte_is_given_up()
    {
        int count = 0;
        _store.Read = (_, destination, position, _) => Interlocked.Increment(ref count) % 2 == 0
            ? throw Broken()
            : ValueTask.FromResult(_store.Take(destination, position, 1));

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadOwnAsync(Patient with { MinConnections = 1, MaxConnections = 1, RetryDelay = TimeSpan.Zero }));

        Assert.Contains("gave up after 40 attempts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retry_waits_as_long_as_the_source_requests()
    {
        // Counted by the clock itself: a timer of the system may be some milliseconds early by another one.
        TimeSpan asked = TimeSpan.FromMilliseconds(300);
        var clock = new RecordingClock();
        bool hadRung = false;
        _store.Read = (number, destination, position, _) =>
        {
            if (number == 0)
            {
                throw new WeightSourceException(OwnStore.Uri, "busy.") { IsTransient = true, RetryAfter = asked };
            }

            hadRung |= number == 1 && clock.Rung.Contains(asked);
            return ValueTask.FromResult(_store.Take(destination, position));
        };

        using WeightSet weights = await LoadOwnAsync(Patient with { MinConnections = 1, MaxConnections = 1 }, clock);

        Assert.True(hadRung, "came back before the time was over");
        AssertWhole(weights);
    }

    [Fact]
    public async Task A_source_that_requests_a_wait_of_an_hour_ends_the_load()
    {
        _store.Read = (_, _, _, _) =>
            throw new WeightSourceException(OwnStore.Uri, "busy.") { IsTransient = true, RetryAfter = TimeSpan.FromHours(1) };

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadOwnAsync(Patient));

        Assert.Contains("requests a wait of 3600 s", error.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromHours(1), error.RetryAfter);
    }

    [Fact]
    public async Task Cancelling_during_the_wait_between_two_attempts_ends_the_load()
    {
        using var cancel = new CancellationTokenSource();
        _store.Read = (_, _, _, _) =>
        {
            cancel.CancelAfter(50);
            throw new WeightSourceException(OwnStore.Uri, "busy.") { IsTransient = true, RetryAfter = TimeSpan.FromMinutes(4) };
        };
        await using WeightLoader loader = OwnLoader(Patient);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => loader.LoadTensorsAsync(OwnStore.Uri, cancellationToken: cancel.Token)
                .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));

        NativeTensors.AssertNoneSince(_tensors);
    }

    [Fact]
    public async Task A_load_does_not_exceed_its_rate_limit()
    {
        long start = TimeProvider.System.GetTimestamp();

        using WeightSet weights = await LoadOwnAsync(Patient with { BytesPerSecond = 8 << 20 });

        // 4 MiB at 8 MiB a second; what a timer cannot wait for is taken off.
        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(400));
        AssertWhole(weights);
    }

    [Fact]
    public async Task Bytes_that_a_stalled_read_writes_late_reach_no_tensor()
    {
        bool wroteLate = false;
        _store.Read = async (number, destination, position, token) =>
        {
            if (number > 0)
            {
                return _store.Take(destination, position);
            }

            await Task.Delay(Timeout.Infinite, token).ContinueWith(static _ => { }, TaskScheduler.Default);
            destination.Span.Fill(0xEE);
            wroteLate = true;
            throw new OperationCanceledException(token);
        };

        using WeightSet weights = await LoadOwnAsync(Patient with { StallTimeout = TimeSpan.FromMilliseconds(100) });

        Assert.True(wroteLate, "the load returned before its first read did");
        AssertWhole(weights);
    }

    [Fact]
    public async Task A_store_that_runs_continuations_in_the_cancelling_call_blocks_no_load()
    {
        _store.Read = async (number, destination, position, token) =>
        {
            if (number > 1)
            {
                return _store.Take(destination, position);
            }

            // The call that cancels continues the load.
            var cancelled = new TaskCompletionSource();
            await using CancellationTokenRegistration registration = token.Register(() => cancelled.TrySetCanceled(token));
            await cancelled.Task.ConfigureAwait(false);
            return 0;
        };

        using WeightSet weights = await LoadOwnAsync(Patient with { StallTimeout = TimeSpan.FromMilliseconds(100) });

        AssertWhole(weights);
    }

    [Fact]
    public async Task Cancelling_a_load_waits_for_the_reads_that_are_running_and_frees_everything()
    {
        using var cancel = new CancellationTokenSource();
        var isCancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayReturn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Read = async (_, destination, _, token) =>
        {
            await cancel.CancelAsync();
            isCancelled.TrySetResult();
            await mayReturn.Task;
            destination.Span.Fill(0xEE);
            throw new OperationCanceledException(token);
        };
        await using WeightLoader loader = OwnLoader(Patient);
        Task<WeightSet> load = loader.LoadTensorsAsync(OwnStore.Uri, cancellationToken: cancel.Token);
        await isCancelled.Task;

        Assert.False(load.IsCompleted);
        mayReturn.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load);

        NativeTensors.AssertNoneSince(_tensors);
    }

    private static WeightSourceException Broken(string message = "the line broke.") => new(OwnStore.Uri, message) { IsTransient = true };

    private WeightLoader OwnLoader(TransferOptions transfer, TimeProvider? clock = null) => new WeightLoaderBuilder()
        .UseTransferOptions(transfer).UseSource(_store).UseTimeProvider(clock ?? TimeProvider.System).Build();

    private async Task<WeightSet> LoadOwnAsync(TransferOptions transfer, TimeProvider? clock = null)
    {
        await using WeightLoader loader = OwnLoader(transfer, clock);
        return await loader.LoadTensorsAsync(OwnStore.Uri, cancellationToken: TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(2));
    }

    private void AssertWhole(WeightSet weights) => Assert.All(
        _entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name));

    // The system's clock, which notes the timers that have rung by the time that they were set to.
    private sealed class RecordingClock : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Rung { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(
            _ =>
            {
                Rung.Enqueue(dueTime);
                callback(state);
            },
            null,
            dueTime,
            period);
    }
}
