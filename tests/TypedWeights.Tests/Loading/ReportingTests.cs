namespace TypedWeights.Tests.Loading;

public sealed class ReportingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_last_progress_report_counts_all_files_tensors_and_bytes()
    {
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.Noise("a", "U8", 8, 20_000_000), TestFile.F32("empty", [0])],
            ["2.safetensors"] = [TestFile.Noise("b", "U8", 8, 20_000_000)],
        });
        var log = new ProgressLog();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(index, null, log, TestContext.Current.CancellationToken);

        LoadProgress last = log.Reports.Last();
        Assert.Equal((2, 2, 3, 3), (last.Files, last.FilesTotal, last.Tensors, last.TensorsTotal));
        Assert.Equal((40_000_000, 40_000_000), (last.Bytes, last.BytesTotal));
        Assert.Equal(1, last.Fraction);
        Assert.True(last.BytesPerSecond > 0);
    }

    [Fact]
    public async Task A_load_logs_its_size_at_the_start_and_its_time_and_rate_at_the_end()
    {
        string path = TestFile.Write(_folder["log.safetensors"], [TestFile.Noise("a", "U8", 8, 5_000_000)]);
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.StartsWith($"Loading {path}: 1 file(s), 1 tensors, 5.00 MB", lines.Lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^Loaded .*: 5\.00 MB in [\d.]+ s, [\d.]+ (bytes|[kMG]B)/s$", lines.Lines[^1]);
    }

    [Fact]
    public async Task The_log_of_a_small_slow_load_shows_bytes_and_no_rounded_zeros()
    {
        string path = TestFile.Write(_folder["log.safetensors"], [TestFile.Noise("a", "U8", 8, 420)]);
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).UseTimeProvider(new SlowClock()).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.EndsWith("1 tensors, 420 bytes", lines.Lines[0], StringComparison.Ordinal);
        Assert.Matches(@": 420 bytes in [\d.]+ s, [1-9]\d* bytes?/s$", lines.Lines[^1]);
    }

    [Fact]
    public async Task A_cancelled_load_is_logged_as_cancelled()
    {
        string path = TestFile.Write(_folder["log.safetensors"], [TestFile.Noise("a", "U8", 8, 500)]);
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).Build();
        using var stop = new CancellationTokenSource();
        var stopping = new TensorLoadOptions
        {
            Filter = _ =>
            {
                stop.Cancel();
                return true;
            },
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loader.LoadTensorsAsync(path, stopping, cancellationToken: stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loader.LoadTensorsAsync(path, cancellationToken: stop.Token));

        Assert.Equal(2, lines.Lines.Count(line => line.StartsWith($"Loading {path} was cancelled after ", StringComparison.Ordinal)));
        Assert.Empty(lines.Warnings);
    }

    [Fact]
    public async Task A_load_that_fails_or_whose_loader_is_disposed_is_logged_with_its_error()
    {
        var asked = new TaskCompletionSource();
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        };
        string uri = $"{server.Address}/silent.safetensors";
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).Build();

        var missing = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(_folder["absent.safetensors"], cancellationToken: TestContext.Current.CancellationToken));
        Task<WeightSet> load = loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
        await asked.Task;
        await loader.DisposeAsync();
        var disposed = await Assert.ThrowsAsync<WeightSourceException>(() => load);

        Assert.Matches(@"^Loading .*absent\.safetensors failed after [\d.E-]+ s: ", lines.Lines[0]);
        Assert.EndsWith(missing.Message, lines.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"Loading {uri} failed after ", lines.Lines[^1], StringComparison.Ordinal);
        Assert.EndsWith(disposed.Message, lines.Lines[^1], StringComparison.Ordinal);
    }

    // Every look at it is a second later.
    private sealed class SlowClock : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Increment(ref _looks);
    }
}
