using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Transfer;

/// <summary>What holds for every plan.</summary>
internal static class PlanCheck
{
    /// <summary>Ranges keep to the limits, come in order without overlaps, and are what their segments are.</summary>
    public static void Ranges(TransferPlan plan, PartLimits limits)
    {
        int file = 0;
        long end = 0;
        foreach (TransferRange range in plan.Ranges)
        {
            Assert.InRange(range.File, file, plan.FileCount - 1);
            Assert.True(range.File > file || range.Offset >= end, $"{range} begins before {end}");
            Assert.InRange(range.Length, 1, limits.PartSize);
            Assert.Equal(range.Length, range.Segments.Sum(segment => segment.Length));
            Assert.All(range.Segments, segment => Assert.InRange(segment.Length, 1, segment.IsGap ? limits.GapSize : long.MaxValue));
            Assert.False(range.Segments[0].IsGap || range.Segments[^1].IsGap, $"{range} has a gap at its edge");
            Assert.DoesNotContain(range.Segments.Zip(range.Segments.Skip(1)), pair => pair.First.IsGap && pair.Second.IsGap);
            (file, end) = (range.File, range.Offset + range.Length);
        }

        TransferSegment[] segments = [.. plan.Ranges.SelectMany(range => range.Segments)];
        Assert.Equal(plan.GapBytes, segments.Where(segment => segment.IsGap).Sum(segment => segment.Length));
        Assert.Equal(plan.TotalBytes, segments.Where(segment => !segment.IsGap).Sum(segment => segment.Length));
    }

    /// <summary>Each segment's bytes are those of the place in the file where the range reads them.</summary>
    public static void Covers(TransferPlan plan, Func<TransferRange, TransferSegment, long> placeInFile)
    {
        foreach (TransferRange range in plan.Ranges)
        {
            long at = range.Offset;
            foreach (TransferSegment segment in range.Segments)
            {
                if (!segment.IsGap)
                {
                    Assert.Equal(placeInFile(range, segment), at);
                }

                at += segment.Length;
            }
        }
    }

    /// <summary>A target gets these bytes of its own, each once, and no others.</summary>
    public static void Target(TransferPlan plan, int target, IEnumerable<(long Offset, long Length)> expected)
    {
        IEnumerable<(long Offset, long Length)> found = plan.Ranges.SelectMany(range => range.Segments)
            .Where(segment => segment.Tensor == target).Select(segment => (segment.Offset, segment.Length));
        Assert.Equal(Joined(expected), Joined(found));
    }

    // Neighbours as one, so that it does not matter how bytes were cut; an overlap stays to be seen.
    private static List<(long Offset, long Length)> Joined(IEnumerable<(long Offset, long Length)> pieces)
    {
        var joined = new List<(long Offset, long Length)>();
        foreach ((long offset, long length) in pieces.Where(piece => piece.Length > 0).OrderBy(piece => piece.Offset))
        {
            if (joined.Count > 0 && joined[^1].Offset + joined[^1].Length == offset)
            {
                joined[^1] = (joined[^1].Offset, joined[^1].Length + length);
            }
            else
            {
                joined.Add((offset, length));
            }
        }

        return joined;
    }
}
