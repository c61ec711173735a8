using System.Runtime.InteropServices;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>Bytes of a file that belong together, and where they go.</summary>
/// <param name="File">An index into the plan's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
/// <param name="Target">An index into the plan's tensors.</param>
/// <param name="TargetOffset">Where the first byte goes, counted from the target's own first byte.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WantedBytes(int File, long Offset, long Length, int Target, long TargetOffset)
{
    public long End => Offset + Length;

    /// <summary>
    /// Whether a new range begins here, because the bytes are not in the file's order: other entries want the bytes in between.
    /// </summary>
    public bool StartsRange { get; init; }
}

/// <summary>Cuts wanted bytes into ranges: small neighbours are merged, and large tensors are split.</summary>
/// <remarks>
/// <para>
/// A range is as large as the bytes that are left, divided by the readers, within limits. Ranges are large while there is much to do, and
/// shrink towards the end, so that the readers finish together and none is left alone with a large range. A small load is cut finely from
/// its first byte by the same rule.
/// </para>
/// <para>
/// Bytes that are read without a break are cut into equal ranges, so that no tiny range is left over. A gap is read only where that saves
/// a request: where the bytes before and after the gap need fewer ranges with it than without it.
/// </para>
/// </remarks>
internal ref struct RangeCutter
{
    // A request for fewer bytes costs more than it can even out.
    private const long SmallestRange = 1L << 20;

    // Ranges begin at multiples of this, because copying to memory at an odd address is slower.
    private const long Grain = 4096;

    private readonly ReadOnlySpan<WantedBytes> _wanted;
    private readonly PartLimits _limits;
    private readonly long _segmentSize;
    private readonly List<TransferRange> _ranges = [];
    private long _left;

    private RangeCutter(ReadOnlySpan<WantedBytes> wanted, PartLimits limits, long segmentSize)
    {
        _wanted = wanted;
        _limits = limits;
        _segmentSize = segmentSize;
        foreach (WantedBytes bytes in wanted)
        {
            _left += bytes.Length;
        }
    }

    // The size that a range should have now; never beyond the limit.
    private readonly long RangeSize =>
        Math.Clamp(_left / _limits.Readers, Math.Min(SmallestRange, _limits.PartSize), _limits.PartSize);

    /// <summary>Cuts the wanted bytes into ranges.</summary>
    /// <param name="wanted">
    /// File by file in the order of the bytes, without overlaps. An entry that leaves that order, or returns to an earlier file, has
    /// <see cref="WantedBytes.StartsRange"/>.
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
            int next = cutter.EndWithGaps(first);
            cutter.CutBetween(first, next);
            first = next;
        }

        return cutter._ranges;
    }

    // The end of the bytes that follow each other without a gap.
    private readonly int EndWithoutGap(int first)
    {
        int next = first + 1;
        while (MayContinue(first, next) && _wanted[next].Offset == _wanted[next - 1].End)
        {
            next++;
        }

        return next;
    }

    // The end of the bytes that are read without a break: with the gaps that are worth reading.
    private readonly int EndWithGaps(int first)
    {
        long size = RangeSize;
        int next = EndWithoutGap(first);
        while (MayContinue(first, next))
        {
            int end = EndWithoutGap(next);
            long before = Count(_wanted[next - 1].End - _wanted[first].Offset, size);
            long after = Count(_wanted[end - 1].End - _wanted[next].Offset, size);
            if (_wanted[next].Offset - _wanted[next - 1].End > _limits.GapSize
                || Count(_wanted[end - 1].End - _wanted[first].Offset, size) >= before + after)
            {
                break;
            }

            next = end;
        }

        return next;
    }

    private readonly bool MayContinue(int first, int next) =>
        next < _wanted.Length && _wanted[next].File == _wanted[first].File && !_wanted[next].StartsRange;

    private void CutBetween(int first, int end)
    {
        long at = _wanted[first].Offset;
        while (first < end)
        {
            long rest = _wanted[end - 1].End - at;
            long count = Count(rest, RangeSize);
            long length = count == 1 ? rest : Count(Count(rest, count), Grain) * Grain;
            AddRange(ref first, ref at, at + Math.Min(length, _limits.PartSize), end);
        }
    }

    // One range, from wanted bytes to wanted bytes. The next range begins after a gap at the end.
    private void AddRange(ref int index, ref long at, long until, int end)
    {
        int file = _wanted[index].File;
        long start = at;
        var segments = new List<TransferSegment>();
        while (index < end && at < until && _wanted[index].Offset < until)
        {
            WantedBytes bytes = _wanted[index];
            if (bytes.Offset > at)
            {
                segments.Add(TransferSegment.Gap(bytes.Offset - at));
                at = bytes.Offset;
            }

            long length = Math.Min(bytes.End, until) - at;
            long offset = bytes.TargetOffset + at - bytes.Offset;
            for (long done = 0; done < length; done += _segmentSize)
            {
                segments.Add(new TransferSegment(bytes.Target, offset + done, Math.Min(length - done, _segmentSize)));
            }

            _left -= length;
            at += length;
            index += at == bytes.End ? 1 : 0;
        }

        _ranges.Add(new TransferRange(file, start, at - start, segments));
        at = index < end ? Math.Max(at, _wanted[index].Offset) : at;
    }

    private static long Count(long length, long size) => ((length - 1) / size) + 1;
}
