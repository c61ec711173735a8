namespace TypedWeights.Sources.Http;

/// <summary>Reads a range from the body of its own answer.</summary>
internal sealed class HttpRangeReader(HttpBody body) : IRangeReader
{
    public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        body.ReadAsync(destination, cancellationToken);

    public ValueTask DisposeAsync() => body.DisposeAsync();
}
