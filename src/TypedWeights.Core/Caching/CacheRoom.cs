namespace TypedWeights.Caching;

/// <summary>Keeps a folder within its size: makes room before bytes are written.</summary>
internal sealed class CacheRoom(CacheFolder folder, long? limit)
{
    private readonly Lock _lock = new();
    private long _used = -1;
    private long _pending;

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

            // What other processes have written since is seen when the folder looks full.
            if (_used < 0 || _used + bytes > most)
            {
                _used = folder.Shrink(Math.Max(0, most - bytes - _pending)) + _pending;
            }

            if (_used + bytes > most)
            {
                return false;
            }

            _used += bytes;
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
