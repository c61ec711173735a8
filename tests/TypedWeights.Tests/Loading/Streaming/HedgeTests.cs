namespace TypedWeights.Tests.Loading.Streaming;

/// <summary>One of the ranges straggles: its first connection stops, or dawdles, after 1,000 bytes.</summary>
public sealed class HedgeTests : IAsyncDisposable
{
    private const int Straggler = 0;
    private static readonly TransferOptions Transfer = new() { MinConnections = 4, MaxConnections = 4, PartSize = 1 << 20, Attempts = 1 };

    private readonly TestFile.Entry[] _entries = [.. Enumerable.Range(0, 8).Select(i => TestFile.Noise($"t{i}", "U8", 8, 1 << 20))];
    private readonly OwnStore _store;
    private readonly WeightLoader _loader;
    private readonly long _tensors = NativeTensors.Count();
    private long _stragglesAt = -1;
    private int _hedges;

    public HedgeTests()
    {
        _store = new OwnStore(TestFile.Bytes(_entries));
        _loader = new WeightLoaderBuilder().UseTransferOptions(Transfer).UseSource(_store).Build();
    }

    public ValueTask DisposeAsync() => _loader.DisposeAsync();

    [Fact]
    public async Task Other_bytes_that_a_losing_request_writes_late_change_no_tensor()
    {
        bool wroteLate = false;
        Straggle(
            async (destination, _, token) =>
            {
                await UntilCancelledAsync(token);
                await Task.Delay(100, CancellationToken.None);
                destination.Span.Fill(0xEE);
                wroteLate = true;
                throw new OperationCanceledException(token);
            });

        using WeightSet weights = await LoadAsync();

        Assert.True(wroteLate, "the load returned before the loser had");
        Assert.Equal(1, _hedges);
        AssertWhole(weights);
    }

    [Fact]
    public async Task A_straggling_request_that_completes_first_cancels_its_hedge()
    {
        bool ended = false;
        var hedged = new TaskCompletionSource();
        Straggle(
            async (destination, position, _) =>
            {
                await hedged.Task;
                return _store.Take(destination, position);
            },
            async (_, _, token) =>
            {
                hedged.TrySetResult();
                await UntilCancelledAsync(token);
                ended = true;
                throw new OperationCanceledException(token);
            });

        using WeightSet weights = await LoadAsync();

        Assert.True(ended, "the load returned before its hedge had");
        AssertWhole(weights);
    }

    [Fact]
    public async Task A_straggling_request_that_fails_does_not_fail_the_load_when_its_hedge_succeeds()
    {
        var failed = new TaskCompletionSource();
        var hedged = new TaskCompletionSource();
        Straggle(
            async (_, _, _) =>
            {
                await hedged.Task;
                failed.TrySetResult();
                throw new WeightSourceException(OwnStore.Uri, "the disk behind it is gone.");
            },
            async (destination, position, _) =>
            {
                hedged.TrySetResult();
                await failed.Task;
                return _store.Take(destination, position);
            });

        using WeightSet weights = await LoadAsync();

        AssertWhole(weights);
    }

    [Fact]
    public async Task A_store_that_runs_continuations_in_the_cancelling_call_blocks_no_load()
    {
        Straggle(
            async (_, _, token) =>
            {
                // Without running continuations asynchronously: whoever cancels does the rest of the load, and stragglers are looked for
                // meanwhile.
                var cancelled = new TaskCompletionSource();
                await using CancellationTokenRegistration registration = token.Register(() =>
                {
                    Thread.Sleep(300);
                    cancelled.TrySetCanceled(token);
                });
                await cancelled.Task.ConfigureAwait(false);
                return 0;
            });

        using WeightSet weights = await LoadAsync().WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal(1, _hedges);
        AssertWhole(weights);
    }

    [Fact]
    public async Task A_failed_hedge_does_not_fail_the_load()
    {
        var hedged = new TaskCompletionSource();
        Straggle(
            async (destination, position, _) =>
            {
                await hedged.Task;
                return _store.Take(destination, position);
            },
            (_, _, _) =>
            {
                hedged.TrySetResult();
                throw new WeightSourceException(OwnStore.Uri, "refused.");
            });

        using WeightSet weights = await LoadAsync();

        AssertWhole(weights);
        Assert.Equal(1, _hedges);
    }

    [Fact]
    public async Task Cancelling_a_load_waits_for_a_range_and_its_hedge_and_frees_everything()
    {
        using var cancel = new CancellationTokenSource();
        int returned = 0;
        async ValueTask<int> HoldAsync(Memory<byte> destination, long position, CancellationToken token)
        {
            await UntilCancelledAsync(token);
            await Task.Delay(100, CancellationToken.None);
            destination.Span.Fill(0xEE);
            Interlocked.Increment(ref returned);
            throw new OperationCanceledException(token);
        }

        Straggle(HoldAsync, (destination, position, token) =>
        {
            cancel.CancelAfter(50);
            return HoldAsync(destination, position, token);
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _loader.LoadTensorsAsync(OwnStore.Uri, cancellationToken: cancel.Token));

        Assert.Equal(2, returned);
        NativeTensors.AssertNoneSince(_tensors);
    }

    private static async Task UntilCancelledAsync(CancellationToken token) =>
        await Task.Delay(Timeout.Infinite, token).ContinueWith(static _ => { }, TaskScheduler.Default);

    // The straggler's range is known by its end; whoever reads in it beside the straggler is its hedge.
    private void Straggle(
        Func<Memory<byte>, long, CancellationToken, ValueTask<int>> straggler,
        Func<Memory<byte>, long, CancellationToken, ValueTask<int>>? hedge = null)
    {
        int hedgeNumber = -1;
        _store.Read = async (number, destination, position, token) =>
        {
            if (number == Straggler)
            {
                if (_stragglesAt < 0)
                {
                    _stragglesAt = position + 1000;
                    return _store.Take(destination, position, 1000);
                }

                return await straggler(destination, position, token);
            }

            // What is read of the others takes a moment, or there would be nothing to compare with.
            await Task.Delay(5, token);
            if (position != _stragglesAt && number != hedgeNumber)
            {
                return _store.Take(destination, position);
            }

            if (hedgeNumber != number)
            {
                hedgeNumber = number;
                _hedges++;
            }

            return hedge is null ? _store.Take(destination, position) : await hedge(destination, position, token);
        };
    }

    private Task<WeightSet> LoadAsync() =>
        _loader.LoadTensorsAsync(OwnStore.Uri, cancellationToken: TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2));

    private void AssertWhole(WeightSet weights) => Assert.All(
        _entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name));
}
