using System.Runtime.InteropServices;
using TypedWeights.Devices.Cuda.Copying;
using TypedWeights.Devices.Cuda.Staging;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>Where a tensor is on a device.</summary>
/// <param name="Address">Its first byte.</param>
/// <param name="Block">The same number for tensors in one allocation, at least 0.</param>
internal readonly record struct DevicePlace(nint Address, int Block);

/// <summary>The way of a plan's bytes through the ring to one device, wherever they lie there.</summary>
internal sealed class StagedTransfer
{
    private readonly TransferPlan _plan;
    private readonly Func<int, DevicePlace> _placeOf;
    private readonly RingShare _share;
    private readonly CopyStream _copies;

    // The place of each tensor in the order in which they are read.
    private readonly int[] _order;

    /// <param name="ring">The loader's.</param>
    /// <param name="context">The device.</param>
    /// <param name="plan">What will come.</param>
    /// <param name="placeOf">Where each tensor of the plan is on the device.</param>
    public StagedTransfer(PinnedRing ring, CudaContext context, TransferPlan plan, Func<int, DevicePlace> placeOf)
    {
        _plan = plan;
        _placeOf = placeOf;
        _order = new int[plan.Tensors.Count];
        for (int i = 0; i < plan.ReadInFileOrder.Count; i++)
        {
            _order[plan.ReadInFileOrder[i]] = i;
        }

        ring.Grow(context, plan);
        RingShare share = _share = ring.Open();
        _copies = CopyStream.Open(context, index => plan.Tensors[index].Info.Name, share.Fail);
    }

    /// <summary>Lets the copies wait for what libtorch has begun before: called once, when all tensors have their memory.</summary>
    public void WaitForTorch() => _copies.WaitForTorch();

    public async ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        RingBuffer buffer = await _share.TakeAsync(cancellationToken).ConfigureAwait(false);
        return buffer.Memory[..checked((int)segment.Length)];
    }

    public void Commit(TransferSegment segment, Memory<byte> memory)
    {
        if (!MemoryMarshal.TryGetMemoryManager<byte, RingBuffer>(memory, out RingBuffer? buffer))
        {
            throw new ArgumentException("This is no memory of the ring.", nameof(memory));
        }

        _copies.Copy(buffer.Address, PartsOf(segment), () => _share.GiveBack(buffer));
    }

    /// <summary>Returns when every byte is on the device.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => _copies.FlushAsync(cancellationToken);

    /// <summary>Waits until nothing is copied any more, and gives the buffers back. For once, when nobody else calls anything.</summary>
    /// <returns>False where nobody can tell that: the memory of the device may not be given to anybody else.</returns>
    public async ValueTask<bool> EndAsync()
    {
        bool isDrained = await _copies.DrainAsync().ConfigureAwait(false);
        if (isDrained)
        {
            _share.Dispose();
        }
        else
        {
            _share.Abandon();
        }

        return isDrained;
    }

    // What a segment is made of: a tensor from an offset on, and those that are read after it. Neighbours on the device are one copy,
    // within an allocation: two that happen to be neighbours are still two to the driver, which refuses to copy across their border.
    private List<CopyPart> PartsOf(TransferSegment segment)
    {
        var parts = new List<CopyPart>();
        int place = _order[segment.Tensor];
        long offset = segment.Offset;
        int block = -1;
        for (long done = 0; done < segment.Length; place++)
        {
            int tensor = _plan.ReadInFileOrder[place];
            long length = Math.Min(_plan.Tensors[tensor].Info.ByteLength - offset, segment.Length - done);
            DevicePlace at = _placeOf(tensor);
            nint device = at.Address + (nint)offset;
            if (at.Block == block && parts[^1] is { } last && last.Device + last.Length == device)
            {
                parts[^1] = last with { Length = last.Length + (int)length };
            }
            else
            {
                parts.Add(new CopyPart(device, (int)done, (int)length, tensor));
            }

            block = at.Block;
            offset = 0;
            done += length;
        }

        return parts;
    }
}
