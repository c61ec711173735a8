using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>Puts all tensors into one region of memory, without a tensor library. The region is freed with the sink.</summary>
internal sealed class MemorySink : IWeightSink
{
    private HeapRegion? _arena;
    private TensorAddresses _addresses;

    public void Allocate(TransferPlan plan)
    {
        _addresses = new TensorAddresses(plan.TargetCount);
        ArenaLayout layout = ArenaLayout.Of(plan);
        if (layout.Length == 0)
        {
            return;
        }

        try
        {
            _arena = HeapRegion.Allocate(layout.Length);
        }
        catch (OutOfMemoryException e)
        {
            throw new WeightsException($"The system could not allocate {layout.Length} bytes of memory for {layout.Places.Count} tensors.", e);
        }

        foreach ((int tensor, long offset) in layout.Places)
        {
            _addresses[tensor] = _arena.Address + (nint)offset;
        }
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) => _addresses.AreContinued(segment, by);

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_addresses.Of(segment));

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _arena?.Dispose();
        return ValueTask.CompletedTask;
    }
}
