using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>Makes ranges of wanted bytes: small neighbours together, large ones in parts.</summary>
/// <remarks>
/// <para>
/// A part is as large as what is left divided by the readers, within limits: large while there is much to do, and smaller and smaller
/// towards the end, so that the readers finish together and none is left alone with a large part. A small load is cut finely from its
/// first byte by the same rule.
/// </para>
/// <para>
/// What is read without a break (a run) is cut into equal parts, so that no crumb is left over. A gap is read along only where that saves
/// a request: where what is before and behind it fits into fewer parts with it than without it.
/// </para>
/// </remarks>
internal ref struct RangeCutter
{
    // Below this a request costs more than it can even out.
    private const long SmallestPart = 1L << 20;

    // Parts begin at multiples of this in their run: copying to memory that begins at an odd address is slower.
    private const long Grain = 4096;

    // No range of a usual checkpoint has more, and a list that has room for them does not grow.
    private const int UsualSegments = 1024;

    private readonly ReadOnlySpan<WantedBytes> _wanted;
    private readonly PartLimits _limits;
    private readonly long _segmentSize;
    private readonly List<TransferRange> _ranges = [];
    private List<TransferSegment> _segments;
    private long _left;

    private RangeCutter(ReadOnlySpan<WantedBytes> wanted, PartLimits limits, long segmentSize)
    {
        _wanted = wanted;
        _limits = limits;
        _segmentSize = segmentSize;
        _segments = new List<TransferSegment>(Math.Min(wanted.Length, UsualSegments));
        foreach (WantedBytes bytes in wanted)
        {
            _left += bytes.Length;
        }
    }

    // The size that a part should have now; never beyond the limit.
    private readonly long PartSize =>
        Math.Clamp(_left / _limits.Readers, Math.Min(SmallestPart, _limits.PartSize), _limits.PartSize);

    /// <summary>Cuts.</summary>
    /// <param name="wanted">
    /// File by file in the order of the bytes, without overlaps. Where that order is left, and where a file is come back to, bytes have to
    /// <see cref="WantedBytes.BeginsAnew"/>.
    /// </param>
    /// <param name="limits">How large ranges may be.</param>
    /// <param name="segmentSize">The most bytes of one segment.</param>
    /// <returns>The ranges, in the same order.</returns>
    public static IReadOnlyList<TransferRange> Cut(ReadOnlySpan<WantedBytes> wanted, PartLimits limits, long segmentSize = long.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.PartSize, 1, nameof(limits));
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.Readers, 1, nameof(limits));
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentSize, 1);
        var cutter = new RangeCutter(wanted, limits, segmentSize);
        for (int first = 0; first < wanted.Length;)
        {
            int next = cutter.EndOfRun(first);
            cutter.CutRun(first, next);
            first = next;
        }

        return cutter._ranges;
    }

    // Bytes that follow each other without a gap.
    private readonly int EndOfStretch(int first)
    {
        int next = first + 1;
        while (IsSameRun(first, next) && _wanted[next].Offset == _wanted[next - 1].End)
        {
            next++;
        }

        return next;
    }

    // Stretches, and the gaps between them that are worth reading.
    private readonly int EndOfRun(int first)
    {
        long partSize = PartSize;
        int next = EndOfStretch(first);
        while (IsSameRun(first, next))
        {
            int end = EndOfStretch(next);
            long before = Parts(_wanted[next - 1].End - _wanted[first].Offset, partSize);
            long behind = Parts(_wanted[end - 1].End - _wanted[next].Offset, partSize);
            if (_wanted[next].Offset - _wanted[next - 1].End > _limits.GapSize
                || Parts(_wanted[end - 1].End - _wanted[first].Offset, partSize) >= before + behind)
            {
                break;
            }

            next = end;
        }

        return next;
    }

    private readonly bool IsSameRun(int first, int next) =>
        next < _wanted.Length && _wanted[next].File == _wanted[first].File && !_wanted[next].BeginsAnew;

    private void CutRun(int first, int end)
    {
        long at = _wanted[first].Offset;
        while (first < end)
        {
            long rest = _wanted[end - 1].End - at;
            long parts = Parts(rest, PartSize);
            long length = parts == 1 ? rest : Parts(Parts(rest, parts), Grain) * Grain;
            AddRange(ref first, ref at, at + Math.Min(length, _limits.PartSize), end);
        }
    }

    // One range, from wanted bytes to wanted bytes; a gap at its end is left out and the next range begins behind it.
    private void AddRange(ref int index, ref long at, long until, int end)
    {
        int file = _wanted[index].File;
        long start = at;
        _segments.EnsureCapacity(Math.Min(SegmentsUntil(index, until, end), Array.MaxLength / 2));
        while (index < end && at < until && _wanted[index].Offset < until)
        {
            WantedBytes bytes = _wanted[index];
            if (bytes.Offset > at)
            {
                _segments.Add(TransferSegment.Gap(bytes.Offset - at));
                at = bytes.Offset;
            }

            long take = Math.Min(bytes.End, until) - at;
            AddSegments(bytes.Target, bytes.TargetOffset + at - bytes.Offset, take);
            at += take;
            index += at == bytes.End ? 1 : 0;
        }

        if (_segments.Count > UsualSegments)
        {
            // As it is: a copy of a million takes more than all else of the plan.
            _ranges.Add(new TransferRange(file, start, at - start, _segments));
            _segments = new List<TransferSegment>(UsualSegments);
        }
        else
        {
            _ranges.Add(new TransferRange(file, start, at - start, _segments.ToArray()));
            _segments.Clear();
        }

        at = index < end ? Math.Max(at, _wanted[index].Offset) : at;
    }

    // About as many, so that no list of a million grows by doubling.
    private readonly int SegmentsUntil(int index, long until, int end)
    {
        int first = index;
        while (index < end && _wanted[index].Offset < until)
        {
            index++;
        }

        return index - first;
    }

    private void AddSegments(int target, long offset, long length)
    {
        _left -= length;
        for (long done = 0; done < length;)
        {
            long take = Math.Min(length - done, _segmentSize);
            _segments.Add(new TransferSegment(target, offset + done, take));
            done += take;
        }
    }

    private static long Parts(long length, long size) => ((length - 1) / size) + 1;
}
