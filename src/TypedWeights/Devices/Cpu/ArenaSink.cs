using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Arena"/>: one run of memory for all tensors, laid out as the files are.</summary>
internal class ArenaSink : CpuSink
{
    protected override void Place(TransferPlan plan) => PlaceInArena(plan);

    /// <summary>Places those of a plan's tensors that are read side by side.</summary>
    protected void PlaceInArena(TransferPlan plan)
    {
        ArenaLayout layout = plan.ReadLayout;
        if (layout.Places.Count == 0)
        {
            return;
        }

        var arena = new SharedRegion(Allocate(layout.Length, layout.Places.Count));
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
