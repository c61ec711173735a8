using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Transfer;

public sealed class ArenaLayoutTests
{
    private const int Line = 64;
    private const long Large = 1 << 20;

    [Fact]
    public void Tensors_of_all_files_follow_each_other_at_cache_lines()
    {
        long[] lengths = [3, 100, Large, 7, Large + 1, Large, 1000, 5 * Large];
        CheckpointFile[] files = [PlannedFiles.Of("a", lengths, 1000), PlannedFiles.Of("b", lengths, 1808)];
        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), PartLimits.Local);

        ArenaLayout layout = ArenaLayout.Of(plan);

        long end = 0;
        foreach ((int tensor, long offset) in layout.Places)
        {
            Assert.Equal(0, offset % Line);
            Assert.InRange(offset - end, 0, Line - 1);
            end = offset + plan.Tensors[tensor].Info.ByteLength;
        }

        Assert.Equal(end, layout.Length);
        Assert.Equal(2 * lengths.Length, layout.Places.Count);
    }

    [Fact]
    public void Tensors_that_end_at_cache_lines_are_laid_out_as_in_the_file()
    {
        CheckpointFile[] files = [PlannedFiles.Of("a", [Large, 64, 2 * Large, 128, Large], 1000)];

        IReadOnlyList<(int Tensor, long Offset)> places = ArenaLayout.Of(
            TransferPlan.Create(files, PlannedFiles.AllOf(files), PartLimits.Local)).Places;

        Assert.All(places, place => Assert.Equal(files[0].Header.Tensors[place.Tensor].Begin, place.Offset - places[0].Offset));
    }
}
