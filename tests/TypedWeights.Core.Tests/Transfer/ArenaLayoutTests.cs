using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Transfer;

public sealed class ArenaLayoutTests
{
    private const long Page = 4096;
    private const int Line = 64;
    private const long Large = 1 << 20;

    [Theory]
    [InlineData(8)]
    [InlineData(1000)]
    [InlineData(4088)]
    [InlineData(33_432)]
    public void A_large_tensor_has_the_same_offset_in_its_page_as_in_the_file_up_to_a_cache_line(long headerLength)
    {
        long[] lengths = [3, 100, Large, 7, Large + 1, Large, 1000, 5 * Large];
        CheckpointFile[] files = [PlannedFiles.Of("a", lengths, headerLength), PlannedFiles.Of("b", lengths, headerLength + 808)];
        TransferPlan plan = TransferPlan.Create(files, PlannedFiles.AllOf(files), PartLimits.Local);

        ArenaLayout layout = ArenaLayout.Of(plan);

        long end = 0;
        foreach ((int tensor, long offset) in layout.Places)
        {
            (int file, TensorInfo info) = plan.Tensors[tensor];
            long before = (files[file].Header.DataStart + info.Begin - offset) & (Page - 1);
            Assert.Equal(0, offset % Line);
            Assert.InRange(offset - end, 0, Page + Line);
            Assert.InRange(before, 0, info.ByteLength >= Large ? Line - 1 : Page - Line);
            end = offset + info.ByteLength;
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
