namespace TypedWeights.Downloads;

/// <summary>Which bytes of a file are there. Neighbours are one run, so that a file nearly whole is a handful of them.</summary>
internal sealed class ByteRuns
{
    // Begin to end, in order, none touching the next.
    private readonly SortedList<long, long> _runs = [];

    /// <summary>How many bytes are there.</summary>
    public long Total { get; private set; }

    /// <summary>Adds bytes; some of them may be there already.</summary>
    public void Add(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        long begin = offset;
        long end = checked(offset + length);
        int index = FirstEndingAtOrAfter(begin);
        while (index < _runs.Count && _runs.GetKeyAtIndex(index) <= end)
        {
            begin = Math.Min(begin, _runs.GetKeyAtIndex(index));
            end = Math.Max(end, _runs.GetValueAtIndex(index));
            Total -= _runs.GetValueAtIndex(index) - _runs.GetKeyAtIndex(index);
            _runs.RemoveAt(index);
        }

        _runs.Add(begin, end);
        Total += end - begin;
    }

    /// <summary>What is missing of a file, in order.</summary>
    public IReadOnlyList<(long Offset, long Length)> Missing(long fileLength)
    {
        var missing = new List<(long Offset, long Length)>();
        long at = 0;
        foreach ((long begin, long end) in _runs)
        {
            if (begin > at)
            {
                missing.Add((at, begin - at));
            }

            at = end;
        }

        if (at < fileLength)
        {
            missing.Add((at, fileLength - at));
        }

        return missing;
    }

    private int FirstEndingAtOrAfter(long position)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_runs.GetValueAtIndex(middle) < position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
