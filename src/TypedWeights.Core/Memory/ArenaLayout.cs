using TypedWeights.Checkpoints;

namespace TypedWeights.Memory;

/// <summary>Where tensors lie in one run of memory: in a given order, each at a cache line.</summary>
/// <remarks>
/// A length that is a multiple of the alignment, as of most tensors there are, leaves no gap: then memory runs on as the file does.
/// </remarks>
internal sealed class ArenaLayout
{
    private ArenaLayout(IReadOnlyList<(int Tensor, long Offset)> places, long length)
    {
        Places = places;
        Length = length;
    }

    /// <summary>The tensors by their index, in order, each with its first byte counted from the start of the memory.</summary>
    public IReadOnlyList<(int Tensor, long Offset)> Places { get; }

    /// <summary>The bytes that all take.</summary>
    public long Length { get; }

    /// <summary>Places some of a plan's tensors side by side.</summary>
    /// <param name="tensors">The plan's tensors.</param>
    /// <param name="inOrder">Which of them, in the order of the memory.</param>
    /// <exception cref="OverflowException">They are longer than any memory.</exception>
    public static ArenaLayout Of(IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<int> inOrder)
    {
        var places = new List<(int Tensor, long Offset)>(inOrder.Count);
        long length = 0;
        foreach (int tensor in inOrder)
        {
            long offset = checked(length + HeapRegion.SmallAlignment - 1) & -HeapRegion.SmallAlignment;
            places.Add((tensor, offset));
            length = checked(offset + tensors[tensor].Info.ByteLength);
        }

        return new ArenaLayout(places, length);
    }
}
