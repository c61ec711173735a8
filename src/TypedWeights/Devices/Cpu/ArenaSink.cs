using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Arena"/>: one run of memory for all tensors, laid out as the files are.</summary>
internal class ArenaSink : CpuSink
{
    protected override void Place(TransferPlan plan) => PlaceInArena(plan.Tensors, plan.InFileOrder);

    /// <summary>Places some of a plan's tensors side by side.</summary>
    /// <param name="tensors">The plan's tensors.</param>
    /// <param name="inOrder">Which of them, in the order of the memory.</param>
    protected void PlaceInArena(IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<int> inOrder)
    {
        if (inOrder.Count == 0)
        {
            return;
        }

        var layout = ArenaLayout.Of(tensors, inOrder);
        var arena = new SharedRegion(Allocate(layout.Length, inOrder.Count));
        try
        {
            foreach ((int index, long offset) in layout.Places)
            {
                TensorInfo info = tensors[index].Info;
                nint address = arena.Address + (nint)offset;
                Put(index, TensorOverMemory.Create(arena, address, TorchLayout.Of(info.DType, info.Shape)), address);
            }
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
