namespace TypedWeights.Transfer.Planning;

/// <summary>The places of tensors on a device, in blocks that several share or each in its own allocation, and their memory.</summary>
internal sealed class DeviceLayout
{
    // The smallest alignment of CUDA's own allocations. Kernels that move 128 bits at a time need 16.
    private const long Alignment = 256;

    private DeviceLayout(IReadOnlyList<DeviceBlock> blocks, long roomBytes)
    {
        Blocks = blocks;
        RoomBytes = roomBytes;
    }

    /// <summary>The blocks; none if each tensor has its own allocation.</summary>
    public IReadOnlyList<DeviceBlock> Blocks { get; }

    /// <summary>The device memory of all tensors, as libtorch's allocator rounds it.</summary>
    public long RoomBytes { get; }

    /// <summary>Places a plan's tensors, in the order of the files.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="block">Tensors with the same result share a block. Null for one block per tensor.</param>
    public static DeviceLayout Of(TransferPlan plan, Func<TensorInfo, int>? block)
    {
        var blocks = new List<DeviceBlock>();
        if (block is null)
        {
            return new DeviceLayout(blocks, SizeFor(plan.InFileOrder.Select(index => plan.Tensors[index].Info.ByteLength)));
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

        return new DeviceLayout(blocks, SizeFor(blocks.Select(static item => item.Length)));
    }

    // PyTorch's caching allocator: up to 1 MiB together in segments of 2 MiB, below 10 MiB in segments of 20 MiB, above that each in its own
    // segment, rounded up to 2 MiB. Each allocation begins at a multiple of 512 bytes.
    private static long SizeFor(IEnumerable<long> lengths)
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
/// <param name="Kind">The result of the function that groups them.</param>
/// <param name="Places">The tensors by their index, each with its first byte counted from the start of the block.</param>
/// <param name="Length">The bytes of the block.</param>
internal sealed record DeviceBlock(int Kind, IReadOnlyList<(int Tensor, long Offset)> Places, long Length);
