using System.Buffers;

namespace TypedWeights.Sources.File;

/// <summary>A range of a file: large pieces straight into the memory they are for, tiny ones through a small buffer, many to a read.</summary>
internal sealed class FileRangeReader : IRangeReader
{
    // A read of the page cache costs about as much as copying this many bytes.
    private const int Tiny = 4 << 10;
    private const int BufferSize = 64 << 10;

    private readonly FileSource _source;
    private readonly long _end;
    private long _position;
    private byte[] _buffer = [];
    private int _buffered;
    private int _taken;

    public FileRangeReader(FileSource source, long offset, long length)
    {
        _source = source;
        _position = offset;
        _end = offset + length;
    }

    public ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_taken < _buffered)
        {
            return ValueTask.FromResult(TakeBuffered(destination));
        }

        return destination.Length < Tiny && _end - _position > destination.Length
            ? ReadThroughBufferAsync(destination, cancellationToken)
            : ReadStraightAsync(destination, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _taken = _buffered = 0;
        }

        return ValueTask.CompletedTask;
    }

    private async ValueTask<int> ReadStraightAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read = await _source.ReadAsync(destination, _position, cancellationToken).ConfigureAwait(false);
        _position += read;
        return read;
    }

    private async ValueTask<int> ReadThroughBufferAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_buffer.Length == 0)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        }

        int wanted = (int)Math.Min(_end - _position, BufferSize);
        _buffered = await ReadStraightAsync(_buffer.AsMemory(0, wanted), cancellationToken).ConfigureAwait(false);
        _taken = 0;
        return TakeBuffered(destination);
    }

    private int TakeBuffered(Memory<byte> destination)
    {
        int length = Math.Min(destination.Length, _buffered - _taken);
        _buffer.AsMemory(_taken, length).CopyTo(destination);
        _taken += length;
        return length;
    }
}
