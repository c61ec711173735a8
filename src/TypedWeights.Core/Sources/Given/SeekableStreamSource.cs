namespace TypedWeights.Sources.Given;

/// <summary>A file that a seekable stream holds from its position to its end. One read at a time moves the position.</summary>
internal sealed class SeekableStreamSource : IWeightSource
{
    private readonly Stream _stream;
    private readonly long _begin;
    private readonly SemaphoreSlim _turn = new(1, 1);

    private SeekableStreamSource(Stream stream)
    {
        _stream = stream;
        _begin = stream.Position;
        Length = Math.Max(0, stream.Length - _begin);
    }

    public string Display => StreamReading.Name;

    public long Length { get; }

    public string? Validator => null;

    /// <summary>Opens the file.</summary>
    /// <exception cref="WeightSourceException">The stream does not tell its position or length.</exception>
    public static ValueTask<IWeightSource> OpenAsync(Stream stream)
    {
        try
        {
            return ValueTask.FromResult<IWeightSource>(new SeekableStreamSource(stream));
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ObjectDisposedException)
        {
            throw StreamReading.Failure(e);
        }
    }

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
            Seek(_begin + position);
            int read = await StreamReading.ReadSomeAsync(_stream, destination, cancellationToken).ConfigureAwait(false);
            return read > 0 ? read : throw StreamReading.Ended(position, Length);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Seek(long position)
    {
        try
        {
            _stream.Position = position;
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ObjectDisposedException)
        {
            throw StreamReading.Failure(e);
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
