using TypedWeights.Sources;

namespace TypedWeights.Tests.Loading;

public sealed class OwnSourceTests
{
    [Fact]
    public async Task A_read_that_its_source_cancels_by_itself_fails_the_load()
    {
        byte[] file = TestFile.Bytes([.. Enumerable.Range(0, 20).Select(i => TestFile.Noise($"t{i}", "U8", 8, 1 << 20))]);
        await using WeightLoader loader = new WeightLoaderBuilder().UseSource(new GivesUp(file)).Build();
        long before = NativeTensors.Count();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync("own://m.safetensors", cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("the source cancelled a read", error.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(before);
    }

    /// <summary>A store of the test's own, whose client has a time-out of its own: it serves the header and then cancels itself.</summary>
    private sealed class GivesUp(byte[] file) : IWeightSourceProvider, IWeightLocation, IWeightSource
    {
        public IReadOnlyList<string> Schemes => ["own"];

        public string EntryName => "m.safetensors";

        public string? Revision => null;

        public string Display => "own://m.safetensors";

        public long Length => file.Length;

        public string? Validator => null;

        public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) => new(this);

        public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) => new(this);

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken) => offset < 10_000
            ? new(new Reader(file.AsMemory((int)offset, (int)length)))
            : throw new TaskCanceledException("the client's own time-out");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Reader(ReadOnlyMemory<byte> bytes) : IRangeReader
    {
        private int _read;

        public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            bytes.Slice(_read, destination.Length).CopyTo(destination);
            _read += destination.Length;
            return ValueTask.FromResult(destination.Length);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
