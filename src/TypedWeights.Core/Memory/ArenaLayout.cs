namespace TypedWeights.Memory;

/// <summary>How tensors lie in one run of memory: side by side, each at a multiple of <see cref="HeapRegion.SmallAlignment"/>.</summary>
internal static class ArenaLayout
{
    /// <summary>Where the next tensor begins.</summary>
    /// <param name="offset">The end of the one before.</param>
    public static long Aligned(long offset) => checked(offset + HeapRegion.SmallAlignment - 1) & -HeapRegion.SmallAlignment;

    /// <summary>The bytes from the first to the end of the last.</summary>
    /// <param name="lengths">The tensors' sizes in bytes.</param>
    public static long LengthOf(IEnumerable<long> lengths)
    {
        // A length that is a multiple of the alignment, as of most tensors there are, leaves no gap: then memory runs on as the file does.
        long end = 0;
        foreach (long length in lengths)
        {
            end = checked(Aligned(end) + length);
        }

        return end;
    }
}
