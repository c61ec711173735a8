namespace TypedWeights.Downloads;

/// <summary>
/// Which parts of a file are on the disk, in ascending order, none overlapping another. Safe for use from many tasks at once.
/// </summary>
/// <remarks>Parts are added nearly in order, so adding one moves few of the others.</remarks>
internal sealed class PartMap
{
    private readonly Lock _lock = new();

    // By offset. A part is sound if this process wrote it, or read it and compared it with its hash.
    private readonly SortedList<long, (FinishedPart Part, bool IsSound)> _parts = [];
    private long _total;

    /// <summary>The parts that a journal lists: their bytes must be compared with the hashes before they are used.</summary>
    /// <remarks>Of two parts with the same byte the later one counts. In any order of the parts it takes little more time than sorting.</remarks>
    public static PartMap OfNotes(IEnumerable<FinishedPart> noted)
    {
        // The sort is stable: of parts at one offset the earlier comes first.
        var kept = new Stack<(FinishedPart Part, int Order)>();
        foreach ((int order, FinishedPart part) in noted.Index().OrderBy(static note => note.Item.Offset))
        {
            if (kept.TryPeek(out (FinishedPart Part, int Order) before) && before.Part.End > part.Offset)
            {
                if (before.Order > order)
                {
                    continue;
                }

                kept.Pop();
            }

            kept.Push((part, order));
        }

        var map = new PartMap();
        foreach ((FinishedPart part, _) in kept.Reverse())
        {
            map.Add(part, isSound: false);
        }

        return map;
    }

    /// <summary>The number of bytes on the disk.</summary>
    public long Total
    {
        get
        {
            lock (_lock)
            {
                return _total;
            }
        }
    }

    /// <summary>The parts on the disk.</summary>
    public IReadOnlyList<FinishedPart> Parts
    {
        get
        {
            lock (_lock)
            {
                return [.. _parts.Values.Select(static known => known.Part)];
            }
        }
    }

    /// <summary>Adds a part. Parts that overlap it go: of two parts with the same byte the later one counts.</summary>
    /// <param name="part">The part.</param>
    /// <param name="isSound">Whether its bytes have been seen; otherwise they must be compared with the hash before they are used.</param>
    public void Add(FinishedPart part, bool isSound)
    {
        lock (_lock)
        {
            for (int i = FirstEndingAfter(part.Offset); i < _parts.Count && _parts.GetKeyAtIndex(i) < part.End;)
            {
                RemoveAt(i);
            }

            _parts.Add(part.Offset, (part, isSound));
            _total += part.Length;
        }
    }

    /// <summary>Finds the part that a byte is in, or the next part after it.</summary>
    /// <param name="position">The byte.</param>
    /// <param name="part">The part; the byte is missing if the part begins after it.</param>
    /// <param name="isSound">Whether the bytes of the part may be used without a look at its hash.</param>
    /// <returns>Whether there is such a part.</returns>
    public bool TryFindFrom(long position, out FinishedPart part, out bool isSound)
    {
        lock (_lock)
        {
            int index = FirstEndingAfter(position);
            (part, isSound) = index < _parts.Count ? _parts.GetValueAtIndex(index) : default;
            return index < _parts.Count;
        }
    }

    /// <summary>Notes that the bytes of a part have their hash.</summary>
    public void MarkSound(FinishedPart part) => Change(part, index => _parts.SetValueAtIndex(index, (part, true)));

    /// <summary>Removes a part whose bytes do not have their hash: they are missing.</summary>
    public void Remove(FinishedPart part) => Change(part, RemoveAt);

    /// <summary>The bytes of a range that are not on the disk, in ascending order.</summary>
    public IReadOnlyList<(long Offset, long Length)> Missing(long offset, long length)
    {
        var missing = new List<(long Offset, long Length)>();
        lock (_lock)
        {
            (long at, long end) = (offset, offset + length);
            for (int i = FirstEndingAfter(offset); at < end; i++)
            {
                FinishedPart next = i < _parts.Count ? _parts.GetValueAtIndex(i).Part : new FinishedPart(end, 0, default);
                if (next.Offset > at)
                {
                    missing.Add((at, Math.Min(next.Offset, end) - at));
                }

                at = Math.Max(next.End, at);
            }
        }

        return missing;
    }

    // If the part has not been replaced by another one.
    private void Change(FinishedPart part, Action<int> change)
    {
        lock (_lock)
        {
            int index = _parts.IndexOfKey(part.Offset);
            if (index >= 0 && _parts.GetValueAtIndex(index).Part == part)
            {
                change(index);
            }
        }
    }

    private void RemoveAt(int index)
    {
        _total -= _parts.GetValueAtIndex(index).Part.Length;
        _parts.RemoveAt(index);
    }

    private int FirstEndingAfter(long position)
    {
        int low = 0;
        int high = _parts.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_parts.GetValueAtIndex(middle).Part.End <= position)
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
