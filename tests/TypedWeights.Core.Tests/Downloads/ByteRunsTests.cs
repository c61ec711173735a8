using CsCheck;
using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

public sealed class ByteRunsTests
{
    [Fact]
    public void What_is_missing_is_every_byte_that_was_not_added_and_no_other()
    {
        const int Length = 60;
        Gen.Select(Gen.Int[0, Length - 1], Gen.Int[1, 12]).Array[0, 15].Sample(parts =>
        {
            var runs = new ByteRuns();
            var there = new bool[Length];
            foreach ((int offset, int wanted) in parts)
            {
                int length = Math.Min(wanted, Length - offset);
                runs.Add(offset, length);
                there.AsSpan(offset, length).Fill(true);
            }

            var missing = new bool[Length];
            long end = -1;
            foreach ((long offset, long length) in runs.Missing(Length))
            {
                // In order, and neighbours are one.
                Assert.True(offset > end && length > 0);
                end = offset + length;
                missing.AsSpan((int)offset, (int)length).Fill(true);
            }

            Assert.Equal(there.Select(is_there => !is_there), missing);
            Assert.Equal(there.Count(is_there => is_there), runs.Total);
        });
    }

    [Fact]
    public void Of_a_file_without_bytes_nothing_is_missing()
    {
        Assert.Empty(new ByteRuns().Missing(0));
        Assert.Equal([(0L, 5L)], new ByteRuns().Missing(5));
    }
}
