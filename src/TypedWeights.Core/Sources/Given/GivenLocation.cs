namespace TypedWeights.Sources.Given;

/// <summary>One file that the caller of a load passes in as memory or as a stream. There are no files beside it.</summary>
internal sealed class GivenLocation : IWeightLocation
{
    private readonly Func<CancellationToken, ValueTask<IWeightSource>> _open;

    private GivenLocation(string name, Func<CancellationToken, ValueTask<IWeightSource>> open)
    {
        EntryName = name;
        _open = open;
    }

    /// <summary>Also the name of the file in messages.</summary>
    public string EntryName { get; }

    public string? Revision => null;

    public bool IsRemote => false;

    /// <summary>A file in memory, which must not change while it is read.</summary>
    public static GivenLocation Of(ReadOnlyMemory<byte> bytes) =>
        new(MemorySource.Name, _ => ValueTask.FromResult<IWeightSource>(new MemorySource(bytes)));

    /// <summary>A file that a stream holds from its position to its end. The caller keeps the stream.</summary>
    public static GivenLocation Of(Stream stream) => new(StreamFailure.Name, token => stream.CanSeek
        ? ValueTask.FromResult<IWeightSource>(new SeekableStreamSource(stream))
        : ForwardStreamSource.OpenAsync(stream, token));

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) => _open(cancellationToken);

    private sealed class MemorySource(ReadOnlyMemory<byte> bytes) : IWeightSource
    {
        public const string Name = "memory";

        public string Display => Name;

        public long Length => bytes.Length;

        public string? Validator => null;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ValueTask.FromResult<IRangeReader>(new MemoryReader(bytes.Slice((int)offset, (int)length)));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
