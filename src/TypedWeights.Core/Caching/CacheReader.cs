using TypedWeights.Downloads;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>A range that comes from the cache and from the source by turns, each byte from where it is.</summary>
internal sealed class CacheReader : IRangeReader
{
    private readonly CachedSource _source;
    private readonly CacheTee? _tee;
    private readonly long _end;
    private readonly Action<int> _onArrived;
    private long _position;
    private IRangeReader? _remote;
    private long _remoteEnd;
    private Memory<byte> _left;
    private Action<int>? _arrived;

    public CacheReader(CachedSource source, long offset, long length)
    {
        _source = source;
        _tee = source.IsKept ? new CacheTee(source, offset + length) : null;
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
            if (_source.Known is { } parts && parts.TryFind(_position, out FinishedPart part, out bool isSound))
            {
                await CloseAsync().ConfigureAwait(false);
                int count = await ReadKnownAsync(part, isSound, cancellationToken).ConfigureAwait(false);
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
                await ReadRemoteAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _tee?.Flush();
        await CloseAsync().ConfigureAwait(false);
    }

    // 0 where the part had first to be looked at, and perhaps mended.
    private async ValueTask<int> ReadKnownAsync(FinishedPart part, bool isSound, CancellationToken cancellationToken)
    {
        int count = (int)Math.Min(_left.Length, part.End - _position);
        if (isSound)
        {
            return await _source.ReadKnownAsync(_left[..count], _position, cancellationToken).ConfigureAwait(false);
        }

        // All of it is wanted here: its bytes are hashed where they land.
        if (count == part.Length)
        {
            if (await _source.TryReadPartAsync(part, _left[..count], cancellationToken).ConfigureAwait(false))
            {
                return count;
            }

            await _source.MendAsync(part, cancellationToken).ConfigureAwait(false);
            return 0;
        }

        await _source.CheckAsync(part, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    private async ValueTask ReadRemoteAsync(CancellationToken cancellationToken)
    {
        if (_remote is null)
        {
            IWeightSource remote = await _source.RemoteAsync(_position, cancellationToken).ConfigureAwait(false);
            _remoteEnd = Math.Min(_end, _source.Known?.NextFrom(_position) ?? long.MaxValue);
            _remote = await remote.OpenRangeAsync(_position, _remoteEnd - _position, cancellationToken).ConfigureAwait(false);
        }

        int count = (int)Math.Min(_left.Length, _remoteEnd - _position);
        await _remote.FillAsync(_left[..count], _onArrived, cancellationToken).ConfigureAwait(false);
        if (_position == _remoteEnd)
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    // Before anybody else hears of the bytes, and so before anybody else could change them.
    private void OnArrived(int bytes)
    {
        _tee?.Append(_position, _left.Span[..bytes]);
        _position += bytes;
        _left = _left[bytes..];
        _arrived!(bytes);
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
