using CsCheck;
using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

public sealed class PartMapTests
{
    private const int Length = 60;

    private static readonly Gen<(int Offset, int Length)[]> Parts =
        Gen.Select(Gen.Int[0, Length - 1], Gen.Int[1, 12], static (offset, wanted) => (offset, Math.Min(wanted, Length - offset))).Array[0, 15];

    [Fact]
    public void Exactly_the_bytes_of_a_range_that_were_not_written_are_missing() => Parts.Sample(parts =>
    {
        var map = new PartMap();
        var there = new bool[Length];
        foreach ((int offset, int length) in parts)
        {
            long end = -1;
            foreach ((long begin, long count) in map.Missing(offset, length))
            {
                // In ascending order, within the range, and never a byte that is there.
                Assert.True(begin > end && count > 0 && begin >= offset && begin + count <= offset + length);
                end = begin + count - 1;
                Assert.All(there[(int)begin..(int)(begin + count)], Assert.False);
                map.Add(new FinishedPart(begin, count, (UInt128)begin), isSound: true);
            }

            there.AsSpan(offset, length).Fill(true);
        }

        AssertIs(there, map);
    });

    [Fact]
    public void A_journal_entry_is_dropped_only_if_a_later_entry_overlaps_it() => Parts.Sample(parts =>
    {
        FinishedPart[] notes = [.. parts.Select((part, order) => new FinishedPart(part.Offset, part.Length, (UInt128)order))];

        IReadOnlyList<FinishedPart> kept = PartMap.OfNotes(notes).Parts;

        Assert.All(kept.Zip(kept.Skip(1)), static pair => Assert.True(pair.First.End <= pair.Second.Offset));
        Assert.Equal(notes.TakeLast(1), kept.Where(part => part.Hash == (UInt128)(notes.Length - 1)));
        Assert.All(
            notes.Except(kept),
            dropped => Assert.Contains(
                notes, note => note.Hash > dropped.Hash && note.Offset < dropped.End && dropped.Offset < note.End));
    });

    [Fact]
    public void Journal_entries_in_descending_order_are_added_without_quadratic_time()
    {
        // One by one, each at the front of all that are there, these would be moved 45 billion times.
        const int Count = 300_000;
        FinishedPart[] notes = [.. Enumerable.Range(0, Count).Select(static i => new FinishedPart(Count - i, 1, (UInt128)i))];

        Assert.Equal(Count, PartMap.OfNotes(notes).Total);
    }

    [Fact]
    public void The_later_of_two_journal_entries_for_one_byte_replaces_the_earlier_entry() => Parts.Sample(parts =>
    {
        var map = new PartMap();
        int?[] by = new int?[Length];
        for (int i = 0; i < parts.Length; i++)
        {
            (int offset, int length) = parts[i];
            foreach (int over in by[offset..(offset + length)].OfType<int>().Distinct().ToArray())
            {
                by = [.. by.Select(note => note == over ? null : note)];
            }

            Array.Fill(by, i, offset, length);
            map.Add(new FinishedPart(offset, length, (UInt128)i), isSound: i % 2 == 0);
        }

        AssertIs([.. by.Select(note => note is not null)], map);
        for (int at = 0; at < Length; at++)
        {
            int next = Array.FindIndex(by, at, note => note is not null);
            Assert.Equal(next >= 0, map.TryFindFrom(at, out FinishedPart part, out bool isSound));
            Assert.Equal(next < 0 ? (0, false) : (by[next]!.Value, by[next] % 2 == 0), ((int)part.Hash, isSound));
            Assert.Equal(by[at] is not null, next >= 0 && part.Offset <= at);
        }
    });

    [Fact]
    public void A_part_is_removed_or_marked_sound_only_if_it_has_not_been_replaced()
    {
        var map = new PartMap();
        var before = new FinishedPart(0, 10, 1);
        var after = new FinishedPart(0, 10, 2);
        map.Add(before, isSound: false);
        map.Add(after, isSound: false);

        map.Remove(before);
        map.MarkSound(before);
        Assert.True(map.TryFindFrom(5, out FinishedPart found, out bool isSound));
        Assert.Equal((after, false), (found, isSound));

        map.MarkSound(after);
        Assert.True(map.TryFindFrom(5, out _, out isSound) && isSound);
        map.Remove(after);
        Assert.Empty(map.Parts);
        Assert.Equal(0, map.Total);
    }

    [Fact]
    public void A_file_without_bytes_has_no_missing_parts()
    {
        Assert.Empty(new PartMap().Missing(0, 0));
        Assert.Equal([(0L, 5L)], new PartMap().Missing(0, 5));
    }

    private static void AssertIs(bool[] there, PartMap map)
    {
        var missing = new bool[there.Length];
        long end = -1;
        foreach ((long offset, long length) in map.Missing(0, there.Length))
        {
            // In order, and neighbours are one.
            Assert.True(offset > end && length > 0);
            end = offset + length;
            missing.AsSpan((int)offset, (int)length).Fill(true);
        }

        Assert.Equal(there.Select(isThere => !isThere), missing);
        Assert.Equal(there.Count(isThere => isThere), map.Total);
    }
}
