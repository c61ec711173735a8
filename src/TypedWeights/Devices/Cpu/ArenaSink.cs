using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Arena"/>: one run of memory for all tensors, laid out as the files are.</summary>
internal class ArenaSink : CpuSink
{
    protected override void Place(TransferPlan plan) => PlaceInArena(plan);

    /// <summary>Places those of a plan's tensors that are read side by side.</summary>
    protected void PlaceInArena(TransferPlan plan)
    {
        ArenaLayout layout = LayoutOf(plan);
        if (layout.Places.Count == 0)
        {
            return;
        }

        var arena = new SharedRegion(Allocate(layout.Length, plan));
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

    private static HeapRegion Allocate(long length, TransferPlan plan)
    {
        try
        {
            return HeapRegion.Allocate(length);
        }
        catch (OutOfMemoryException e)
        {
            CheckpointFile file = plan.Files[plan.Tensors[plan.ReadInFileOrder[0]].File];
            string advice = file.Source is IMappableSource
                ? "TensorStorage.Mapped loads it with less"
                : "if it is as large as it says, load some of it (TensorLoadOptions.Filter), or download it and load it with TensorStorage.Mapped";
            throw new WeightsException(
                $"{file.Source.Display}: the system has no {length} bytes of memory for {plan.ReadInFileOrder.Count} tensors; {advice}.", e);
        }
    }
}
