namespace TypedWeights.Sources.Given;

/// <summary>A file that a seekable stream holds from its position to its end. One read at a time moves the position.</summary>
internal sealed class SeekableStreamSource : IWeightSource
{
    private readonly Stream _stream;
    private readonly long _begin;
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <exception cref="WeightSourceException">The stream does not report its position or length.</exception>
    public SeekableStreamSource(Stream stream)
    {
        try
        {
            _stream = stream;
            _begin = stream.Position;
            Length = Math.Max(0, stream.Length - _begin);
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ObjectDisposedException)
        {
            throw StreamFailure.Of(e);
        }
    }

    public string Display => StreamFailure.Name;

    public long Length { get; }

    public string? Validator => null;

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(new Reader(this, offset));
    }

    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _stream.Position = _begin + position;
            int read = await _stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            return read > 0 ? read : throw StreamFailure.Ended(position, Length);
        }
        catch (Exception e) when (e is not WeightSourceException && !cancellationToken.IsCancellationRequested)
        {
            throw StreamFailure.Of(e);
        }
        finally
        {
            _turn.Release();
        }
    }

    private sealed class Reader(SeekableStreamSource source, long position) : IRangeReader
    {
        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int read = await source.ReadAsync(destination, position, cancellationToken).ConfigureAwait(false);
            position += read;
            return read;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>The errors of a stream that the caller of a load passes in.</summary>
internal static class StreamFailure
{
    /// <summary>The name of the file in messages.</summary>
    public const string Name = "stream";

    /// <summary>The error of a stream that ended before the file did.</summary>
    public static WeightSourceException Ended(long position, long length) =>
        new(Name, $"the stream ended after {position} of {length} bytes. The file in it was cut short; open the whole file.");

    /// <summary>The error of a stream that threw. Its type is named, because the message of another library may say little.</summary>
    public static WeightSourceException Of(Exception cause) =>
        new(Name, $"reading the stream failed ({cause.GetType().Name}): {cause.Message}", innerException: cause);
}
