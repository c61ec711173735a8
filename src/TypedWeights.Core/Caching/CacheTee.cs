namespace TypedWeights.Caching;

/// <summary>Copies the bytes of one range, as they come, into buffers of the writer. Used by one task at a time.</summary>
/// <param name="source">The file.</param>
/// <param name="end">The byte behind the range.</param>
internal sealed class CacheTee(CachedSource source, long end)
{
    private readonly CacheWriter _writer = source.Run.Writer;
    private Memory<byte>? _buffer;
    private long _start;
    private int _count;

    /// <summary>Takes the next bytes.</summary>
    public void Append(long position, ReadOnlySpan<byte> bytes)
    {
        if (position != _start + _count)
        {
            Flush();
        }

        while (bytes.Length > 0)
        {
            // Cut at multiples of a buffer, so that loads that read other ranges cut alike.
            int take = (int)Math.Min(bytes.Length, CacheWriter.BufferSize - (position % CacheWriter.BufferSize));
            if (_buffer is null)
            {
                long wanted = Math.Min(end - position, CacheWriter.BufferSize - (position % CacheWriter.BufferSize));
                _buffer = _writer.TryRent((int)wanted);
                (_start, _count) = (position, 0);
            }

            if (_buffer is { } buffer)
            {
                bytes[..take].CopyTo(buffer.Span[_count..]);
                _count += take;
            }
            else
            {
                _writer.Drop(take);
            }

            position += take;
            bytes = bytes[take..];
            if (position % CacheWriter.BufferSize == 0 || position == end)
            {
                Flush();
            }
        }
    }

    /// <summary>Hands over what there is.</summary>
    public void Flush()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            if (_count > 0)
            {
                _writer.Submit(source.TargetAsync, _start, buffer, _count);
            }
            else
            {
                _writer.GiveBack(buffer);
            }
        }
    }
}
