namespace TypedWeights.Sources.Given;

/// <summary>One file that the caller of a load handed over as memory or as a stream; nothing lies beside it.</summary>
internal sealed class GivenLocation : IWeightLocation
{
    private readonly Func<CancellationToken, ValueTask<IWeightSource>> _open;

    private GivenLocation(string name, Func<CancellationToken, ValueTask<IWeightSource>> open)
    {
        EntryName = name;
        _open = open;
    }

    /// <summary>What messages call the file, too.</summary>
    public string EntryName { get; }

    public string? Revision => null;

    public bool IsRemote => false;

    /// <summary>A file in memory, which must not change while it is read.</summary>
    public static GivenLocation Of(ReadOnlyMemory<byte> bytes) =>
        new(MemorySource.Name, _ => ValueTask.FromResult<IWeightSource>(new MemorySource(bytes)));

    /// <summary>A file that a stream holds from its position to its end. The stream stays the caller's.</summary>
    public static GivenLocation Of(Stream stream) => new(StreamReading.Name, token => stream.CanSeek
        ? SeekableStreamSource.OpenAsync(stream)
        : ForwardStreamSource.OpenAsync(stream, token));

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) => _open(cancellationToken);
}
