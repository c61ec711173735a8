using TypedWeights.Memory;

namespace TypedWeights.Transfer.Planning;

/// <summary>
/// The places of tensors in one region of memory: in a given order, each at a multiple of a cache line. Lengths that are such multiples, as
/// most are, leave no gap, so that neighbours in the file are neighbours in memory.
/// </summary>
/// <param name="Places">The tensors by their index, in order, each with its first byte counted from the start of the memory.</param>
/// <param name="Length">The bytes of all tensors, alignment included.</param>
internal sealed record ArenaLayout(IReadOnlyList<(int Tensor, long Offset)> Places, long Length)
{
    /// <summary>Places the tensors of a plan that are read, in the order of the files.</summary>
    /// <exception cref="OverflowException">They are longer than any memory.</exception>
    public static ArenaLayout Of(TransferPlan plan)
    {
        var places = new List<(int Tensor, long Offset)>(plan.ReadInFileOrder.Count);
        long length = 0;
        foreach (int tensor in plan.ReadInFileOrder)
        {
            long offset = checked(length + HeapRegion.SmallAlignment - 1) & -HeapRegion.SmallAlignment;
            places.Add((tensor, offset));
            length = checked(offset + plan.Tensors[tensor].Info.ByteLength);
        }

        return new ArenaLayout(places, length);
    }
}
