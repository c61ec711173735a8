using TypedWeights.Memory;

namespace TypedWeights.Transfer.Planning;

/// <summary>Where tensors lie in one run of memory: in a given order, each at a cache line.</summary>
/// <remarks>
/// A length that is a multiple of the alignment, as of most tensors there are, leaves no gap: then memory runs on as the file does.
/// Memory that is large begins at a page, and large tensors lie in theirs as they do in those of the file, but for the alignment.
/// </remarks>
internal sealed class ArenaLayout
{
    private const long PageSize = 4096;

    // Where the start of a page lost is nothing.
    private const long Large = 1 << 20;

    private ArenaLayout(IReadOnlyList<(int Tensor, long Offset)> places, long length)
    {
        Places = places;
        Length = length;
    }

    /// <summary>The tensors by their index, in order, each with its first byte counted from the start of the memory.</summary>
    public IReadOnlyList<(int Tensor, long Offset)> Places { get; }

    /// <summary>The bytes that all take.</summary>
    public long Length { get; }

    /// <summary>Places those of a plan's tensors that are read side by side, in the order of the files.</summary>
    /// <exception cref="OverflowException">They are longer than any memory.</exception>
    public static ArenaLayout Of(TransferPlan plan)
    {
        var places = new List<(int Tensor, long Offset)>(plan.ReadInFileOrder.Count);
        long length = 0;
        foreach (int tensor in plan.ReadInFileOrder)
        {
            (int file, TensorInfo info) = plan.Tensors[tensor];
            long offset = checked(length + HeapRegion.SmallAlignment - 1) & -HeapRegion.SmallAlignment;
            offset = FastToFill(offset, plan.Files[file].Header.DataStart + info.Begin, info.ByteLength);
            places.Add((tensor, offset));
            length = checked(offset + info.ByteLength);
        }

        return new ArenaLayout(places, length);
    }

    // The kernel copies a file by its pages, and how fast depends on how far apart both lie, each counted from the start of its page. Memory
    // less than a cache line before the file is as fast as memory that lies just as the file does; hundreds of bytes apart it takes up to a
    // tenth longer; and on AMD's Zen 3 three times as long 1 to 63 bytes behind it.
    private static long FastToFill(long offset, long inFile, long length)
    {
        long ahead = (inFile - offset) & (PageSize - 1);
        if (ahead < HeapRegion.SmallAlignment)
        {
            return offset;
        }

        return length >= Large ? checked(offset + (ahead & -HeapRegion.SmallAlignment))
            : PageSize - ahead < HeapRegion.SmallAlignment ? checked(offset + HeapRegion.SmallAlignment)
            : offset;
    }
}
