namespace TypedWeights.Transfer.Planning;

/// <summary>Where tensors lie on a device: in blocks that many share, or each in an allocation of its own; and what that takes.</summary>
internal sealed class DeviceLayout
{
    // What CUDA's own allocations are aligned to at least; kernels that move 128 bits at a time need 16.
    private const long Alignment = 256;

    private DeviceLayout(IReadOnlyList<DeviceBlock> blocks, long roomBytes)
    {
        Blocks = blocks;
        RoomBytes = roomBytes;
    }

    /// <summary>The blocks; none where each tensor is an allocation of its own.</summary>
    public IReadOnlyList<DeviceBlock> Blocks { get; }

    /// <summary>The memory of the device that this takes, as libtorch's allocator rounds it.</summary>
    public long RoomBytes { get; }

    /// <summary>Places a plan's tensors, in the order of the files.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="block">Which tensors share a block: those for which it gives the same number. Null for a block for each.</param>
    public static DeviceLayout Of(TransferPlan plan, Func<TensorInfo, int>? block)
    {
        var blocks = new List<DeviceBlock>();
        if (block is null)
        {
            return new DeviceLayout(blocks, RoomFor(plan.InFileOrder.Select(index => plan.Tensors[index].Info.ByteLength)));
        }

        foreach (IGrouping<int, int> same in plan.InFileOrder.GroupBy(index => block(plan.Tensors[index].Info)))
        {
            var places = new List<(int Tensor, long Offset)>();
            long length = 0;
            foreach (int tensor in same)
            {
                places.Add((tensor, length));
                length = RoundUp(checked(length + plan.Tensors[tensor].Info.ByteLength), Alignment);
            }

            blocks.Add(new DeviceBlock(same.Key, places, length));
        }

        return new DeviceLayout(blocks, RoomFor(blocks.Select(static item => item.Length)));
    }

    // PyTorch's caching allocator: up to 1 MiB side by side in segments of 2 MiB, below 10 MiB in segments of 20 MiB, above in segments
    // of their own, which end at 2 MiB; each begins at a multiple of 512 bytes.
    private static long RoomFor(IEnumerable<long> lengths)
    {
        const long Mega = 1L << 20;
        long small = 0, middle = 0, large = 0;
        foreach (long length in lengths)
        {
            if (length >= 10 * Mega)
            {
                large = checked(large + RoundUp(length, 2 * Mega));
            }
            else if (length > Mega)
            {
                middle = checked(middle + RoundUp(length, 512));
            }
            else
            {
                small = checked(small + RoundUp(length, 512));
            }
        }

        return checked(RoundUp(small, 2 * Mega) + RoundUp(middle, 20 * Mega) + large);
    }

    private static long RoundUp(long length, long to) => checked(length + to - 1) / to * to;
}

/// <summary>Memory that tensors of one kind share.</summary>
/// <param name="Kind">What they have in common.</param>
/// <param name="Places">The tensors by their index, each with its first byte counted from the start of the block.</param>
/// <param name="Length">The bytes of the block.</param>
internal sealed record DeviceBlock(int Kind, IReadOnlyList<(int Tensor, long Offset)> Places, long Length);
