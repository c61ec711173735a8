using CsCheck;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Transfer;

public sealed class TransferPlanTests
{
    private const long Mega = 1L << 20;

    // Sizes of a few bytes against parts of a few bytes, and of megabytes against the real ones: the rules meet in different ways.
    private static readonly Gen<(long Part, long Gap, int Readers, long Unit)> Limits = Gen.OneOf(
        Gen.Select(Gen.Long[1, 40], Gen.Long[0, 20], Gen.Int[1, 40], Gen.Const(1L)),
        Gen.Select(Gen.Long[64 << 10, 20 * Mega], Gen.Long[0, 2 * Mega], Gen.Int[1, 40], Gen.Const(100_003L)));

    private static readonly Gen<long[][]> Files = Gen.OneOf(Gen.Long[0, 3], Gen.Long[0, 40], Gen.Long[0, 400]).Array[0, 30].Array[1, 3];

    [Fact]
    public void Every_wanted_byte_is_read_exactly_once_and_no_range_breaks_a_limit() => Gen.Select(Limits, Files, Gen.Int).Sample(
        (limits, sizes, seed) =>
        {
            CheckpointFile[] files = [.. sizes.Select((lengths, i) => PlannedFiles.Of($"f{i}", [.. lengths.Select(n => n * limits.Unit)], 8 * i))];
            var random = new Random(seed);
            double share = random.NextDouble();
            CheckpointTensor[] tensors = [.. PlannedFiles.AllOf(files).Where(_ => random.NextDouble() <= share)];
            random.Shuffle(tensors);
            var parts = new PartLimits(limits.Part, limits.Gap, limits.Readers);

            TransferPlan plan = TransferPlan.Create(files, tensors, parts);

            PlanCheck.Ranges(plan, parts);
            PlanCheck.Covers(plan, (range, segment) =>
                files[range.File].Header.DataStart + tensors[segment.Tensor].Info.Begin + segment.Offset);
            for (int i = 0; i < tensors.Length; i++)
            {
                PlanCheck.Target(plan, i, [(0, tensors[i].Info.ByteLength)]);
                Assert.All(
                    plan.Ranges.Where(range => range.Segments.Any(segment => segment.Tensor == i)),
                    range => Assert.Equal(tensors[i].File, range.File));
            }

            Assert.Equal(tensors.Sum(tensor => tensor.Info.ByteLength), plan.TotalBytes);
        },
        iter: 1000);

    [Fact]
    public void A_plan_with_a_use_order_reads_each_byte_once_with_ranges_in_the_order_of_the_steps() => Gen.Select(
        Limits, Files, Gen.Int[1, 6], Gen.Int).Sample(
        (limits, sizes, steps, seed) =>
        {
            CheckpointFile[] files =
                [.. sizes.Select((lengths, i) => PlannedFiles.Of($"f{i}", [.. lengths.Select(n => n * limits.Unit)], 8 * i, isSequential: i == 2))];
            var random = new Random(seed);
            CheckpointTensor[] tensors = [.. PlannedFiles.AllOf(files).Where(tensor => tensor.File == 2 || random.Next(3) > 0)];
            random.Shuffle(tensors);
            int[] stepOf = [.. tensors.Select(_ => random.Next(steps))];
            var parts = new PartLimits(limits.Part, limits.Gap, limits.Readers);

            TransferPlan plan = TransferPlan.Create(files, tensors, parts, order: new UseOrder(stepOf));

            PlanCheck.Covers(plan, (range, segment) =>
                files[range.File].Header.DataStart + tensors[segment.Tensor].Info.Begin + segment.Offset);
            for (int i = 0; i < tensors.Length; i++)
            {
                PlanCheck.Target(plan, i, [(0, tensors[i].Info.ByteLength)]);
            }

            int last = 0;
            long end = 0;
            foreach (TransferRange range in plan.Ranges)
            {
                Assert.InRange(range.Length, 1, parts.PartSize);
                Assert.All(range.Segments, segment => Assert.InRange(segment.Length, 1, segment.IsGap ? parts.GapSize : long.MaxValue));
                if (range.File == 2)
                {
                    Assert.True(range.Offset >= end, "a file that comes as a whole is left and come back to");
                    end = range.Offset + range.Length;
                    continue;
                }

                // Neighbouring steps may share a range where they lie side by side; nobody's bytes are read along as a gap.
                int[] used = [.. range.Segments.Where(segment => !segment.IsGap).Select(segment => stepOf[segment.Tensor])];
                Assert.Equal(used.Order(), used);
                Assert.True(used[0] >= last, $"{range} is of step {used[0]}, after one of {last}");
                last = used[0];
            }

            long wanted = tensors.Sum(tensor => tensor.Info.ByteLength);
            Assert.Equal(wanted, plan.TotalBytes);
            Assert.Equal(wanted + plan.GapBytes, plan.Ranges.Sum(range => range.Length));
            foreach (TransferRange range in plan.Ranges)
            {
                long at = range.Offset;
                foreach (TransferSegment segment in range.Segments)
                {
                    long start = at;
                    Assert.True(!segment.IsGap || tensors.All(tensor => tensor.File != range.File || tensor.Info.ByteLength == 0
                        || files[tensor.File].Header.DataStart + tensor.Info.End <= start
                        || files[tensor.File].Header.DataStart + tensor.Info.Begin >= start + segment.Length), "a wanted byte is read as a gap");
                    at += segment.Length;
                }
            }
        },
        iter: 500);

    [Fact]
    public void A_part_of_a_plan_has_exactly_the_bytes_of_its_tensors() => Gen.Select(Limits, Files, Gen.Int).Sample(
        (limits, sizes, seed) =>
        {
            CheckpointFile[] files = [.. sizes.Select((lengths, i) => PlannedFiles.Of($"f{i}", [.. lengths.Select(n => n * limits.Unit)]))];
            var random = new Random(seed);
            CheckpointTensor[] tensors = PlannedFiles.AllOf(files);
            int[] some = [.. Enumerable.Range(0, tensors.Length).Where(_ => random.Next(2) == 0)];
            random.Shuffle(some);
            var parts = new PartLimits(limits.Part, limits.Gap, limits.Readers);

            TransferPlan part = TransferPlan.Create(files, tensors, parts).Part(some);

            PlanCheck.Ranges(part, parts);
            PlanCheck.Covers(part, (range, segment) =>
                files[range.File].Header.DataStart + tensors[some[segment.Tensor]].Info.Begin + segment.Offset);
            for (int i = 0; i < some.Length; i++)
            {
                Assert.Equal(tensors[some[i]], part.Tensors[i]);
                PlanCheck.Target(part, i, [(0, tensors[some[i]].Info.ByteLength)]);
            }
        },
        iter: 300);

    [Fact]
    public void The_missing_bytes_of_a_file_are_read_exactly_once_in_small_segments() => Gen.Select(
        Limits, Gen.Select(Gen.Long[0, 30], Gen.Long[0, 300]).Array[0, 30], Gen.Long[1, 100]).Sample(
        (limits, pieces, segmentSize) =>
        {
            var missing = new List<(long Offset, long Length)>();
            long end = 0;
            foreach ((long skip, long length) in pieces)
            {
                missing.Add((end + (skip * limits.Unit), length * limits.Unit));
                end = missing[^1].Offset + missing[^1].Length;
            }

            var parts = new PartLimits(limits.Part, limits.Gap, limits.Readers);

            TransferPlan plan = TransferPlan.OfFile(end + 5, parts, missing, segmentSize * limits.Unit);

            PlanCheck.Ranges(plan, parts);
            PlanCheck.Covers(plan, (_, segment) => segment.Offset);
            PlanCheck.Target(plan, 0, missing);
            Assert.All(
                plan.Ranges.SelectMany(range => range.Segments).Where(segment => !segment.IsGap),
                segment => Assert.True(segment.Length <= segmentSize * limits.Unit, $"{segment}"));
            Assert.Equal(missing.Sum(piece => piece.Length), plan.TotalBytes);
            Assert.Equal((1, 1, 0, 0), (plan.FileCount, plan.TargetCount, plan.Files.Count, plan.Tensors.Count));
        },
        iter: 1000);

    [Fact]
    public void A_plan_that_allows_no_gaps_reads_only_wanted_bytes() => Gen.Select(Files, Gen.Int).Sample((sizes, seed) =>
    {
        CheckpointFile[] files = [.. sizes.Select((lengths, i) => PlannedFiles.Of($"f{i}", lengths))];
        var random = new Random(seed);
        CheckpointTensor[] tensors = [.. PlannedFiles.AllOf(files).Where(_ => random.Next(2) == 0)];

        TransferPlan plan = TransferPlan.Create(files, tensors, PartLimits.Local);

        Assert.DoesNotContain(plan.Ranges.SelectMany(range => range.Segments), segment => segment.IsGap);
        Assert.Equal(0, plan.GapBytes);
    });

    [Fact]
    public void A_plan_of_a_file_without_a_list_of_missing_bytes_reads_the_whole_file()
    {
        var limits = new PartLimits(8 * Mega, Mega, 4);

        TransferPlan plan = TransferPlan.OfFile(100_000_001, limits);

        PlanCheck.Ranges(plan, limits);
        PlanCheck.Target(plan, 0, [(0, 100_000_001)]);
        Assert.Empty(TransferPlan.OfFile(0, limits).Ranges);
    }

    [Theory]
    [InlineData(0, 10, 5, 5)]
    [InlineData(5, 5, 0, 5)]
    [InlineData(0, 5, 96, 5)]
    [InlineData(-1, 5, 6, 5)]
    [InlineData(0, 5, 6, -1)]
    public void Missing_ranges_outside_the_file_or_out_of_order_are_refused(long first, long firstLength, long second, long secondLength) =>
        Assert.Throws<ArgumentException>(
            "missing",
            () => TransferPlan.OfFile(100, PartLimits.Local, [(first, firstLength), (second, secondLength)]));

    [Fact]
    public void A_gap_is_read_only_if_that_saves_a_request()
    {
        long[] sizes = [100_000, 50_000, 100_000, Mega + 1, 100_000, 50_000, 5 * Mega, 50_000, 5 * Mega];
        CheckpointFile[] files = [PlannedFiles.Of("f", sizes)];
        CheckpointTensor[] wanted = [.. PlannedFiles.AllOf(files).Where((_, i) => i % 2 == 0)];

        TransferPlan plan = TransferPlan.Create(files, wanted, new PartLimits(8 * Mega, Mega, 1));

        // The first two share a request, the second gap is too large, the third is read along, and two of 5 MiB are two requests anyhow.
        Assert.Equal(
            [[(0, 100_000), (-1, 50_000), (1, 100_000)], [(2, 100_000), (-1, 50_000), (3, 5 * Mega)], [(4, 5 * Mega)]],
            plan.Ranges.Select(range => range.Segments.Select(segment => (segment.Tensor, segment.Length)).ToArray()));
        Assert.Equal(100_000, plan.GapBytes);
    }

    [Fact]
    public void A_large_load_has_large_ranges_first_and_small_ranges_at_its_end()
    {
        const int Readers = 32;
        CheckpointFile[] files = [PlannedFiles.Of("f", [.. Enumerable.Repeat(64 * Mega, 40)])];

        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), new PartLimits(8 * Mega, Mega, Readers));

        long[] lengths = [.. plan.Ranges.Select(range => range.Length)];
        Assert.All(lengths[..200], length => Assert.Equal(8 * Mega, length));
        Assert.All(lengths[^(Readers / 2)..], length => Assert.InRange(length, 1, Mega + 4096));
        Assert.InRange(lengths.Length, 320, 420);

        // What one reader is at when the others run out is no more than a reader's share of what was left.
        long left = plan.TotalBytes;
        foreach (long length in lengths)
        {
            Assert.InRange(length, 1, Math.Max(Mega, left / Readers) + 4096);
            left -= length;
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(Mega, 1)]
    [InlineData(4 * Mega, 4)]
    [InlineData(16 * Mega, 16)]
    [InlineData(64 * Mega, 32)]
    public void A_small_load_keeps_many_readers_busy(long bytes, int least)
    {
        CheckpointFile[] files = [PlannedFiles.Of("f", [bytes])];

        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), new PartLimits(8 * Mega, Mega, 32));

        Assert.InRange(plan.Ranges.Count, least, least * 2);
    }

    [Fact]
    public void A_tensor_slightly_larger_than_the_part_size_is_cut_into_two_equal_ranges()
    {
        CheckpointFile[] files = [PlannedFiles.Of("f", [(8 * Mega) + 1])];

        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), new PartLimits(8 * Mega, 0, 1));

        Assert.Equal([(4 * Mega) + 4096, (4 * Mega) - 4095], plan.Ranges.Select(range => range.Length));
    }

    [Fact]
    public void Tensors_that_are_excluded_from_reading_have_no_ranges()
    {
        CheckpointFile[] files = [PlannedFiles.Of("f", [10, 20, 30])];

        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), PartLimits.Local, [false, true, false]);

        Assert.Equal([(1018L, 20L)], plan.Ranges.Select(range => (range.Offset, range.Length)));
        Assert.Equal([0, 1, 2], plan.InFileOrder);
        Assert.Equal([1], plan.ReadInFileOrder);
    }

    [Fact]
    public void A_file_without_range_support_must_be_loaded_whole_or_is_refused()
    {
        CheckpointFile[] files = [PlannedFiles.Of("http://h/f", [10, 0, 20, 30], isSequential: true), PlannedFiles.Of("http://h/g", [5])];
        CheckpointTensor[] tensors = PlannedFiles.AllOf(files);
        var limits = new PartLimits(20, 5, 4);

        PlanCheck.Ranges(TransferPlan.Create(files, tensors, limits), limits);
        Assert.Single(TransferPlan.Create(files, tensors[^1..], limits).Ranges);
        var e = Assert.Throws<WeightSourceException>(() => TransferPlan.Create(files, tensors[1..], limits));

        Assert.Equal(
            "http://h/f: the file can only be read as a whole, as its server ignores range requests or its stream cannot seek, and only 2 of its 4 "
                + "tensors are selected. Load all of them, or save the file first and give its path.",
            e.Message);
    }
}
