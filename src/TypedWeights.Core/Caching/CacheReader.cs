using TypedWeights.Downloads;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>
/// A range whose bytes come from the copy where that has them, and otherwise from the source. Those are copied, as they come, into buffers
/// of the writer.
/// </summary>
internal sealed class CacheReader : IRangeReader
{
    private readonly CachedSource _source;
    private readonly CacheWriter? _writer;
    private readonly long _end;
    private readonly Action<int> _onArrived;
    private long _position;
    private IRangeReader? _remote;
    private long _remoteEnd;
    private Memory<byte> _left;
    private Action<int>? _arrived;

    // Bytes for the writer, and where they begin.
    private Memory<byte>? _buffer;
    private long _bufferStart;
    private int _buffered;

    public CacheReader(CachedSource source, long offset, long length)
    {
        _source = source;
        _writer = source.Target is null ? null : source.Run.Writer;
        _position = offset;
        _end = offset + length;
        _onArrived = OnArrived;
    }

    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        await FillAsync(destination, static _ => { }, cancellationToken).ConfigureAwait(false);
        return destination.Length;
    }

    public async ValueTask FillAsync(Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
    {
        for (_left = destination; _left.Length > 0;)
        {
            FinishedPart part = default;
            bool isSound = false;
            bool isNext = _source.Known?.TryFindFrom(_position, out part, out isSound) ?? false;
            if (isNext && part.Offset <= _position)
            {
                await CloseAsync().ConfigureAwait(false);
                int wanted = (int)Math.Min(_left.Length, part.End - _position);
                int count = await _source.TryReadKnownAsync(part, isSound, _left[..wanted], _position, cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    _position += count;
                    _left = _left[count..];
                    arrived(count);
                }
            }
            else
            {
                _arrived = arrived;
                await ReadRemoteAsync(isNext ? Math.Min(_end, part.Offset) : _end, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Submit();
        await CloseAsync().ConfigureAwait(false);
    }

    private async ValueTask ReadRemoteAsync(long end, CancellationToken cancellationToken)
    {
        if (_remote is null)
        {
            IWeightSource remote = await _source.RemoteAsync(_position, cancellationToken).ConfigureAwait(false);
            _remoteEnd = end;
            _remote = await remote.OpenRangeAsync(_position, end - _position, cancellationToken).ConfigureAwait(false);
        }

        int count = (int)Math.Min(_left.Length, _remoteEnd - _position);
        await _remote.FillAsync(_left[..count], _onArrived, cancellationToken).ConfigureAwait(false);
        if (_position == _remoteEnd)
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    // Before any other code sees the bytes, and so before any could change them.
    private void OnArrived(int bytes)
    {
        if (_writer is not null)
        {
            Keep(_writer, _left.Span[..bytes]);
        }

        _position += bytes;
        _left = _left[bytes..];
        _arrived!(bytes);
    }

    private void Keep(CacheWriter writer, ReadOnlySpan<byte> bytes)
    {
        long position = _position;
        if (position != _bufferStart + _buffered)
        {
            Submit();
        }

        while (bytes.Length > 0)
        {
            // Cut at multiples of a buffer, so that loads that read other ranges cut alike.
            int room = CacheWriter.BufferSize - (int)(position % CacheWriter.BufferSize);
            int take = Math.Min(bytes.Length, room);
            if (_buffer is null)
            {
                _buffer = writer.TryRent((int)Math.Min(_end - position, room));
                (_bufferStart, _buffered) = (position, 0);
            }

            if (_buffer is { } buffer)
            {
                bytes[..take].CopyTo(buffer.Span[_buffered..]);
                _buffered += take;
            }
            else
            {
                writer.Drop(take);
            }

            position += take;
            bytes = bytes[take..];
            if (take == room || position == _end)
            {
                Submit();
            }
        }
    }

    private void Submit()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            _writer!.Submit(_source.Target!, _bufferStart, buffer, _buffered);
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_remote is { } remote)
        {
            _remote = null;
            await remote.DisposeAsync().ConfigureAwait(false);
        }
    }
}
