namespace TypedWeights.Sources.Given;

/// <summary>A file in memory.</summary>
internal sealed class MemorySource(ReadOnlyMemory<byte> bytes) : IWeightSource
{
    /// <summary>What messages call the file.</summary>
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
