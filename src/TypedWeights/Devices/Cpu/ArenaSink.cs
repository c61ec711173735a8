using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Arena"/>: one run of memory for all tensors, laid out as the files are.</summary>
internal class ArenaSink : CpuSink
{
    private const long PageSize = 4096;

    protected override void Place(TransferPlan plan) => PlaceInArena(plan, plan.InFileOrder);

    /// <summary>Places some of a plan's tensors side by side.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="inOrder">Which of its tensors, in the order of the memory.</param>
    protected void PlaceInArena(TransferPlan plan, IReadOnlyList<int> inOrder)
    {
        if (inOrder.Count == 0)
        {
            return;
        }

        // A length that is a multiple of the alignment, as of most tensors there are, leaves no gap: then memory runs on as the file does.
        var offsets = new long[inOrder.Count];
        long length = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            CheckpointTensor tensor = plan.Tensors[inOrder[i]];
            offsets[i] = FastToFill(Aligned(length), plan.Files[tensor.File].Header.DataStart + tensor.Info.Begin);
            length = checked(offsets[i] + tensor.Info.ByteLength);
        }

        var arena = new SharedRegion(Allocate(length, inOrder.Count));
        try
        {
            PlaceOver(arena, plan.Tensors, inOrder, offsets);
        }
        finally
        {
            // From here on the tensors keep it.
            arena.Release();
        }
    }

    private static long Aligned(long offset) => (offset + HeapRegion.SmallAlignment - 1) & -HeapRegion.SmallAlignment;

    // The kernel copies a page of the file at a time. On AMD's processors that takes three times as long where memory lies up to 63 bytes
    // behind the file, both counted within their pages: another step of the alignment, and it does not.
    private static long FastToFill(long offset, long inFile) =>
        ((offset - inFile) & (PageSize - 1)) is > 0 and < HeapRegion.SmallAlignment ? offset + HeapRegion.SmallAlignment : offset;

    private static HeapRegion Allocate(long length, int tensors)
    {
        try
        {
            return HeapRegion.Allocate(length);
        }
        catch (OutOfMemoryException e)
        {
            throw new WeightsException(
                $"The system has no {length} bytes of memory for {tensors} tensors; TensorStorage.Mapped loads files of this machine with less.", e);
        }
    }
}
