using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Devices.Cpu;

/// <summary>Tensors in host memory, into which bytes are read without another copy. Derived classes decide which memory that is.</summary>
internal abstract class CpuSink : ITensorSink
{
    private torch.Tensor?[] _tensors = [];
    private TensorAddresses _addresses;
    private ArenaLayout? _layout;

    public virtual bool Reads(CheckpointFile file, TensorInfo tensor) => true;

    public torch.Device DeviceOf(int tensor) => torch.CPU;

    public SinkMemory MemoryOf(TransferPlan plan) => SinkMemory.InHost(LayoutOf(plan));

    public void Allocate(TransferPlan plan)
    {
        _tensors = new torch.Tensor?[plan.Tensors.Count];
        _addresses = new TensorAddresses(plan.Tensors.Count);
        Place(plan);
        for (int i = 0; i < _tensors.Length; i++)
        {
            _tensors[i] ??= Empty(plan.Tensors[i].Info);
        }
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) => _addresses.AreContinued(segment, by);

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_addresses.Of(segment));

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public virtual ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ReadOnlyMemory<byte>>(_addresses.Of(tensor, offset, buffer.Length));

    public torch.Tensor TakeTensor(int tensor)
    {
        torch.Tensor taken = _tensors[tensor]!;
        _tensors[tensor] = null;
        return taken;
    }

    public virtual ValueTask DisposeAsync()
    {
        foreach (torch.Tensor? tensor in _tensors)
        {
            tensor?.Dispose();
        }

        _tensors = [];
        return ValueTask.CompletedTask;
    }

    /// <summary>The bytes of tensors that were not taken; after a failure, of all tensors.</summary>
    protected long HeldBytes => _tensors.Sum(static tensor => tensor is null ? 0 : tensor.numel() * tensor.element_size());

    /// <summary>Makes the tensors that have bytes, with <see cref="Put"/>; the base class makes those without.</summary>
    protected abstract void Place(TransferPlan plan);

    /// <summary>Where the tensors that are read are in an arena; the same for every call, as a sink serves one plan.</summary>
    protected ArenaLayout LayoutOf(TransferPlan plan) => _layout ??= ArenaLayout.Of(plan);

    /// <summary>Makes tensors over existing memory.</summary>
    /// <param name="region">The memory.</param>
    /// <param name="tensors">The plan's tensors.</param>
    /// <param name="places">Which of them, and where each starts in the memory.</param>
    protected void PlaceOver(SharedRegion region, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<(int Tensor, long Offset)> places)
    {
        foreach ((int index, long offset) in places)
        {
            TensorInfo info = tensors[index].Info;
            nint address = region.Address + (nint)offset;
            Put(index, TensorOverMemory.Create(region, address, TorchLayout.Of(info.DType, info.Shape)), address);
        }
    }

    /// <summary>Adds a tensor, and the address that its bytes go to.</summary>
    protected void Put(int index, torch.Tensor tensor, nint address)
    {
        _tensors[index] = tensor;
        _addresses[index] = address;
    }

    /// <summary>Lets libtorch allocate a tensor.</summary>
    protected static torch.Tensor Empty(TensorInfo info)
    {
        TorchLayout layout = TorchLayout.Of(info.DType, info.Shape);
        try
        {
            // The caller may have a dispose scope; these tensors outlive it.
            return torch.empty(layout.Shape.ToInt64Array(), layout.ScalarType, torch.CPU).DetachFromDisposeScope();
        }
        catch (Exception e) when (e is ExternalException or OutOfMemoryException)
        {
            throw new WeightsException(
                $"libtorch could not allocate \"{info.Name}\" ({info.DType.Name()} {info.Shape.ToShortString()}, {info.ByteLength} bytes): "
                    + e.Message,
                e);
        }
    }
}

/// <summary><see cref="TensorStorage.Arena"/>: one region for all tensors, in the order of the files.</summary>
internal class ArenaSink : CpuSink
{
    protected override void Place(TransferPlan plan) => PlaceInArena(plan);

    /// <summary>Places the tensors that are read.</summary>
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
            // From now on only the tensors keep it alive.
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
                ? "use TensorStorage.Mapped, which needs less memory"
                : "if the file is really this large, load fewer tensors (TensorLoadOptions.Filter), or download it and use TensorStorage.Mapped";
            throw new WeightsException(
                $"{file.Source.Display}: the system could not allocate {length} bytes for {plan.ReadInFileOrder.Count} tensors; {advice}.", e);
        }
    }
}

/// <summary><see cref="TensorStorage.PerTensor"/>: an allocation of libtorch's for each tensor.</summary>
internal class PerTensorSink : CpuSink
{
    protected override void Place(TransferPlan plan)
    {
        foreach (int index in plan.InFileOrder)
        {
            torch.Tensor tensor = Empty(plan.Tensors[index].Info);
            Put(index, tensor, TensorData.Address(tensor));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        long left = HeldBytes;
        await base.DisposeAsync().ConfigureAwait(false);
        FreedMemory.TrimLater(left);
    }
}

/// <summary><see cref="TensorStorage.Mapped"/>: tensors over the mapped file; those that are unaligned in it are read into an arena.</summary>
internal sealed class MappedSink : ArenaSink
{
    public override bool Reads(CheckpointFile file, TensorInfo tensor)
    {
        _ = Mappable(file);

        // The start of the data depends on the length of the header, which may be odd.
        return (file.Header.DataStart + tensor.Begin) % Math.Max(1, tensor.DType.BitSize() / 8) != 0;
    }

    protected override void Place(TransferPlan plan)
    {
        foreach (IGrouping<int, int> ofFile in plan.InFileOrder.GroupBy(index => plan.Tensors[index].File))
        {
            CheckpointFile file = plan.Files[ofFile.Key];
            PlaceOverFile(plan.Tensors, file, [.. ofFile.Where(index => !Reads(file, plan.Tensors[index].Info))]);
        }

        PlaceInArena(plan);
    }

    private void PlaceOverFile(IReadOnlyList<CheckpointTensor> tensors, CheckpointFile file, IReadOnlyList<int> indexes)
    {
        if (indexes.Count == 0)
        {
            return;
        }

        var mapping = new SharedRegion(Mappable(file).Map());
        try
        {
            PlaceOver(mapping, tensors, [.. indexes.Select(index => (index, file.Header.DataStart + tensors[index].Info.Begin))]);
        }
        finally
        {
            mapping.Release();
        }
    }

    private static IMappableSource Mappable(CheckpointFile file) => file.Source as IMappableSource ?? throw new WeightSourceException(
        file.Source.Display,
        "only local files can be mapped; use another TensorStorage than Mapped, or download the file and load it from its path.");
}
