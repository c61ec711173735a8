using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Arena"/>: one run of memory for all tensors, laid out as the files are.</summary>
internal class ArenaSink : CpuSink
{
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

        var layout = ArenaLayout.Of(plan, inOrder);
        var arena = new SharedRegion(Allocate(layout.Length, inOrder.Count));
        try
        {
            PlaceOver(arena, plan.Tensors, layout.Places);
        }
        finally
        {
            // From here on the tensors keep it.
            arena.Release();
        }
    }

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
