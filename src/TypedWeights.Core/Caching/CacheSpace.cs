namespace TypedWeights.Caching;

/// <summary>Keeps a folder within its size: makes room before bytes are written.</summary>
internal sealed class CacheSpace(CacheFolder folder, long? limit)
{
    // So each process goes beyond the limit by no more than this part of it.
    private const int LooksOnTheWay = 16;

    private readonly Lock _lock = new();
    private long _used = -1;
    private long _pending;
    private long _since;

    /// <summary>Takes room for a write, until <see cref="Settle"/>; and removes what was not used for long where there is none left.</summary>
    /// <returns>false where everything that could go is in use.</returns>
    public bool TryTake(long bytes)
    {
        lock (_lock)
        {
            if (limit is not { } most)
            {
                _pending += bytes;
                return true;
            }

            if (_used >= 0 && _since > most / LooksOnTheWay)
            {
                // Other processes may have written; what this one is writing is in its own count, and perhaps in the folder already.
                _since = 0;
                _used = Math.Max(_used, folder.List(CancellationToken.None).Sum(static item => item.Bytes));
            }

            if (_used < 0 || _used + bytes > most)
            {
                _since = 0;
                _used = folder.Shrink(Math.Max(0, most - bytes - _pending), CancellationToken.None) + _pending;
            }

            if (_used + bytes > most)
            {
                return false;
            }

            _used += bytes;
            _since += bytes;
            _pending += bytes;
            return true;
        }
    }

    /// <summary>A write that room was taken for has ended: the folder itself tells of it now.</summary>
    public void Settle(long bytes)
    {
        lock (_lock)
        {
            _pending -= bytes;
        }
    }
}
