namespace TypedWeights.Sources;

/// <summary>Reads a range that is in memory already.</summary>
internal sealed class MemoryReader(ReadOnlyMemory<byte> bytes) : IRangeReader
{
    private int _read;

    public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int count = Math.Min(destination.Length, bytes.Length - _read);
        bytes.Span.Slice(_read, count).CopyTo(destination.Span);
        _read += count;
        return ValueTask.FromResult(count);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
