using TypedWeights.Sources;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>
/// A store of the test's own behind the public interface of stores: one file in memory, whose ranges are read as the test says. What
/// HTTP cannot be made to do at a chosen moment, this can.
/// </summary>
internal sealed class OwnStore(byte[] file) : IWeightSourceProvider, IWeightLocation, IWeightSource
{
    private int _opened;

    public const string Uri = "own://m.safetensors";

    /// <summary>
    /// Reads for the n-th range that was opened beyond the header: destination, position in the file, token; gives the number of bytes.
    /// </summary>
    public Func<int, Memory<byte>, long, CancellationToken, ValueTask<int>>? Read { get; set; }

    public IReadOnlyList<string> Schemes => ["own"];

    public string EntryName => "m.safetensors";

    public string? Revision => null;

    public string Display => Uri;

    public long Length => file.Length;

    public string? Validator => null;

    /// <summary>Where the payload begins.</summary>
    public long DataStart { get; } = 8 + BitConverter.ToInt64(file);

    public int Opened => _opened;

    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) => new(this);

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) => new(this);

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken) =>
        new(new Reader(this, offset < DataStart ? -1 : Interlocked.Increment(ref _opened) - 1, offset));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Reads rightly, at most so many bytes.</summary>
    public int Take(Memory<byte> destination, long position, int most = int.MaxValue)
    {
        int count = Math.Min(destination.Length, most);
        file.AsMemory((int)position, count).CopyTo(destination);
        return count;
    }

    private sealed class Reader(OwnStore store, int number, long position) : IRangeReader
    {
        private long _position = position;

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int read = number < 0 || store.Read is null
                ? store.Take(destination, _position)
                : await store.Read(number, destination, _position, cancellationToken);
            _position += read;
            return read;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
