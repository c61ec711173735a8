namespace TypedWeights.Caching;

/// <summary>Keeps a folder within its size: makes room before bytes are written.</summary>
internal sealed class CacheRoom(CacheFolder folder, long? limit)
{
    private readonly Lock _lock = new();
    private long _used = -1;

    /// <summary>Takes room, and removes what was not used for long where there is none left.</summary>
    /// <returns>false where everything that could go is in use.</returns>
    public bool TryTake(long bytes)
    {
        if (limit is not { } most)
        {
            return true;
        }

        lock (_lock)
        {
            // What other processes have written since is seen when the folder looks full.
            if (_used < 0 || _used + bytes > most)
            {
                _used = folder.Shrink(Math.Max(0, most - bytes));
            }

            if (_used + bytes > most)
            {
                return false;
            }

            _used += bytes;
            return true;
        }
    }
}
