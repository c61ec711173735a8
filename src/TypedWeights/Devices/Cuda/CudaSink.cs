using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices.Cuda.Copying;
using TypedWeights.Devices.Cuda.Staging;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Memory;
using TypedWeights.Streaming;

namespace TypedWeights.Devices.Cuda;

/// <summary>
/// Tensors of a GPU: bytes land in page-locked buffers and are copied from there while the next ones land. Host memory stays at the
/// size of the ring, whatever that of the model.
/// </summary>
/// <param name="engine">The loader's.</param>
/// <param name="context">The device.</param>
/// <param name="storage">How the tensors lie there.</param>
internal sealed class CudaSink(CudaEngine engine, CudaContext context, TensorStorage storage) : ITensorSink
{
    private TransferPlan? _plan;
    private DeviceLayout? _layout;
    private DeviceTensorSet? _tensors;
    private RingShare? _share;
    private CopyStream? _copies;

    // The place of each tensor in the order in which they are read.
    private int[] _order = [];

    public long SegmentSize => engine.Ring.BufferSize;

    public bool Reads(CheckpointFile file, TensorInfo tensor) => true;

    public DeviceLayout Layout(TransferPlan plan) => _layout ??= DeviceLayout.Of(
        plan, storage == TensorStorage.Arena ? static info => (int)TorchLayout.Of(info.DType, info.Shape).ScalarType : null);

    public void Allocate(TransferPlan plan)
    {
        _plan = plan;
        _tensors = new DeviceTensorSet(engine.Tensors, context, plan);
        _tensors.Allocate(Layout(plan));
        if (plan.TotalBytes == 0)
        {
            return;
        }

        _order = new int[plan.Tensors.Count];
        for (int i = 0; i < plan.ReadInFileOrder.Count; i++)
        {
            _order[plan.ReadInFileOrder[i]] = i;
        }

        engine.Ring.Grow(context, plan);
        RingShare share = _share = engine.Ring.Open();
        _copies = CopyStream.Open(context, index => plan.Tensors[index].Info.Name, share.Fail);
        _copies.WaitForTorch();
    }

    // A buffer takes whatever follows in the file; where it goes on the device is for the copies to sort out.
    public bool IsContinued(TransferSegment segment, TransferSegment by) => segment.Length + by.Length <= SegmentSize;

    public async ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        RingBuffer buffer = await _share!.TakeAsync(cancellationToken).ConfigureAwait(false);
        return buffer.Memory[..checked((int)segment.Length)];
    }

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        RingShare share = _share!;
        if (!MemoryMarshal.TryGetMemoryManager<byte, RingBuffer>(memory, out RingBuffer? buffer))
        {
            throw new ArgumentException("This is no memory of the ring.", nameof(memory));
        }

        _copies!.Copy(buffer.Address, PartsOf(segment), () => share.GiveBack(buffer));
        return ValueTask.CompletedTask;
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_copies is not null)
        {
            await _copies.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public IReadOnlyList<torch.Tensor> TakeTensors() => _tensors!.Take();

    public async ValueTask DisposeAsync()
    {
        // First of all nothing may be under way any more: libtorch gives the memory of a freed tensor to the next one at once.
        bool isDrained = _copies is null || await _copies.DrainAsync().ConfigureAwait(false);
        _copies = null;
        if (isDrained)
        {
            _share?.Dispose();
            _tensors?.Dispose();
        }
        else
        {
            _share?.Abandon();
            _tensors?.Abandon();
        }

        _share = null;
        _tensors = null;
    }

    // What a segment is made of: a tensor from an offset on, and those that are read after it. Neighbours on the device are one copy.
    private List<CopyPart> PartsOf(TransferSegment segment)
    {
        var parts = new List<CopyPart>();
        int place = _order[segment.Tensor];
        long offset = segment.Offset;
        for (long done = 0; done < segment.Length; place++)
        {
            int tensor = _plan!.ReadInFileOrder[place];
            long length = Math.Min(_plan.Tensors[tensor].Info.ByteLength - offset, segment.Length - done);
            nint device = _tensors!.AddressOf(tensor) + (nint)offset;
            if (parts.Count > 0 && parts[^1] is { } last && last.Device + last.Length == device)
            {
                parts[^1] = last with { Length = last.Length + (int)length };
            }
            else
            {
                parts.Add(new CopyPart(device, (int)done, (int)length, tensor));
            }

            offset = 0;
            done += length;
        }

        return parts;
    }
}
