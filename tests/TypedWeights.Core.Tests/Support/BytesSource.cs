using TypedWeights.Sources;

namespace TypedWeights.Tests;

/// <summary>Bytes as an opened file: for tests of thousands of small inputs, where a disk would only cost time.</summary>
internal sealed class BytesSource(byte[] bytes, string display = "bytes") : IWeightSource
{
    public string Display => display;

    public long Length => bytes.Length;

    public string? Validator => null;

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Assert.InRange(length, 1, bytes.Length - offset);
        return ValueTask.FromResult<IRangeReader>(new Reader(bytes.AsMemory((int)offset, (int)length)));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Reader(Memory<byte> left) : IRangeReader
    {
        private Memory<byte> _left = left;

        public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            // In two parts where it can be: a reader that stops after the first is found out.
            int count = Math.Min(Math.Max(1, destination.Length / 2), _left.Length);
            _left[..count].CopyTo(destination);
            _left = _left[count..];
            return ValueTask.FromResult(count);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
