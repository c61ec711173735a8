namespace TypedWeights.Downloads;

/// <summary>
/// Which parts of a file are there, in the order of their bytes, none overlapping another; and which are on their way. Safe for use from
/// many tasks at once.
/// </summary>
/// <remarks>Parts come nearly in order, so that adding one moves few of the others.</remarks>
internal sealed class PartMap
{
    private readonly Lock _lock = new();

    // By offset.
    private readonly SortedList<long, Slot> _slots = [];
    private long _total;

    private enum State
    {
        /// <summary>Somebody has said that they will write it.</summary>
        Coming,

        /// <summary>Noted down as written, by a process that may have ended since.</summary>
        Noted,

        /// <summary>Written by this process, or read and held against its hash.</summary>
        Sound,
    }

    /// <summary>The parts that a journal has noted down: somebody has to hold them against their hashes before they are used.</summary>
    /// <remarks>Of two notes about one byte the later one counts. In any order of the notes it takes little more time than sorting them.</remarks>
    public static PartMap OfNotes(IReadOnlyList<FinishedPart> noted)
    {
        // By place, and of those in one place the earlier first.
        int[] order = [.. Enumerable.Range(0, noted.Count)];
        Array.Sort(order, (a, b) => noted[a].Offset.CompareTo(noted[b].Offset) is not 0 and var byOffset ? byOffset : a.CompareTo(b));
        var kept = new Stack<int>();
        foreach (int note in order)
        {
            if (kept.TryPeek(out int before) && noted[before].End > noted[note].Offset)
            {
                if (before > note)
                {
                    continue;
                }

                kept.Pop();
            }

            kept.Push(note);
        }

        var map = new PartMap();
        foreach (int note in kept.Reverse())
        {
            map.Add(noted[note], isSound: false);
        }

        return map;
    }

    /// <summary>How many bytes are there.</summary>
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

    /// <summary>The parts that are there.</summary>
    public IReadOnlyList<FinishedPart> Parts
    {
        get
        {
            lock (_lock)
            {
                return [.. _slots.Values.Where(static slot => slot.State != State.Coming).Select(static slot => slot.Part)];
            }
        }
    }

    /// <summary>Adds a part. What overlaps it goes: of two notes about one byte the later one counts.</summary>
    /// <param name="part">The part.</param>
    /// <param name="isSound">Whether its bytes have been seen; else somebody has to hold them against the hash before they are used.</param>
    public void Add(FinishedPart part, bool isSound)
    {
        lock (_lock)
        {
            for (int i = FirstEndingAfter(part.Offset); i < _slots.Count && _slots.GetKeyAtIndex(i) < part.End;)
            {
                RemoveAt(i);
            }

            _slots.Add(part.Offset, new Slot(part, isSound ? State.Sound : State.Noted));
            _total += part.Length;
        }
    }

    /// <summary>Takes what is neither there nor on its way out of a run of bytes; the caller writes it, or gives it back.</summary>
    /// <returns>Its pieces, in order.</returns>
    public IReadOnlyList<(long Offset, long Length)> Claim(long offset, long length)
    {
        var pieces = new List<(long Offset, long Length)>();
        lock (_lock)
        {
            long at = offset, end = offset + length;
            for (int i = FirstEndingAfter(offset); i < _slots.Count && at < end && _slots.GetKeyAtIndex(i) < end; i++)
            {
                FinishedPart part = _slots.GetValueAtIndex(i).Part;
                if (part.Offset > at)
                {
                    pieces.Add((at, part.Offset - at));
                }

                at = part.End;
            }

            if (at < end)
            {
                pieces.Add((at, end - at));
            }

            foreach ((long begin, long count) in pieces)
            {
                _slots.Add(begin, new Slot(new FinishedPart(begin, count, default), State.Coming));
            }
        }

        return pieces;
    }

    /// <summary>Gives a piece back that was claimed and not written.</summary>
    public void GiveBack(long offset)
    {
        lock (_lock)
        {
            int index = _slots.IndexOfKey(offset);
            if (index >= 0 && _slots.GetValueAtIndex(index).State == State.Coming)
            {
                RemoveAt(index);
            }
        }
    }

    /// <summary>The part that a byte is in.</summary>
    /// <returns>Whether there is one; and whether its bytes may be used without a look at its hash.</returns>
    public bool TryFind(long position, out FinishedPart part, out bool isSound)
    {
        lock (_lock)
        {
            int index = FirstEndingAfter(position);
            if (index < _slots.Count && _slots.GetKeyAtIndex(index) <= position
                && _slots.GetValueAtIndex(index) is { State: not State.Coming } slot)
            {
                (part, isSound) = (slot.Part, slot.State == State.Sound);
                return true;
            }

            (part, isSound) = (default, false);
            return false;
        }
    }

    /// <summary>The first byte at or behind a position that is there; <see cref="long.MaxValue"/> for none.</summary>
    public long NextFrom(long position)
    {
        lock (_lock)
        {
            for (int i = FirstEndingAfter(position); i < _slots.Count; i++)
            {
                if (_slots.GetValueAtIndex(i).State != State.Coming)
                {
                    return Math.Max(position, _slots.GetKeyAtIndex(i));
                }
            }

            return long.MaxValue;
        }
    }

    /// <summary>A part's bytes have the hash that was noted down.</summary>
    public void MarkSound(FinishedPart part) => Change(part, index => _slots.SetValueAtIndex(index, new Slot(part, State.Sound)));

    /// <summary>A part's bytes are not what was noted down: they are missing.</summary>
    public void Remove(FinishedPart part) => Change(part, RemoveAt);

    /// <summary>As <see cref="Remove(FinishedPart)"/>, for any number of parts in the time that it takes to look at each once.</summary>
    public void Remove(IReadOnlySet<FinishedPart> parts)
    {
        lock (_lock)
        {
            Slot[] kept = [.. _slots.Values.Where(slot => slot.State == State.Coming || !parts.Contains(slot.Part))];
            _slots.Clear();
            foreach (Slot slot in kept)
            {
                _slots.Add(slot.Part.Offset, slot);
            }

            _total = kept.Where(static slot => slot.State != State.Coming).Sum(static slot => slot.Part.Length);
        }
    }

    /// <summary>The bytes that are not there, in order; what is on its way is not there yet.</summary>
    public IReadOnlyList<(long Offset, long Length)> Missing(long fileLength)
    {
        var missing = new List<(long Offset, long Length)>();
        long at = 0;
        foreach (FinishedPart part in Parts)
        {
            if (part.Offset > at)
            {
                missing.Add((at, part.Offset - at));
            }

            at = part.End;
        }

        if (at < fileLength)
        {
            missing.Add((at, fileLength - at));
        }

        return missing;
    }

    // Where it is still the same part.
    private void Change(FinishedPart part, Action<int> change)
    {
        lock (_lock)
        {
            int index = _slots.IndexOfKey(part.Offset);
            if (index >= 0 && _slots.GetValueAtIndex(index) is { State: not State.Coming } slot && slot.Part == part)
            {
                change(index);
            }
        }
    }

    private void RemoveAt(int index)
    {
        Slot slot = _slots.GetValueAtIndex(index);
        _total -= slot.State == State.Coming ? 0 : slot.Part.Length;
        _slots.RemoveAt(index);
    }

    private int FirstEndingAfter(long position)
    {
        int low = 0;
        int high = _slots.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_slots.GetValueAtIndex(middle).Part.End <= position)
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

    private readonly record struct Slot(FinishedPart Part, State State);
}
