namespace TypedWeights.Format;

/// <summary>A tensor as its entry reads, before anything about its range has been checked.</summary>
/// <param name="Info">What the entry says. Its range is two unsigned numbers: read it here until it has been checked.</param>
/// <param name="Position">The byte of the header's JSON at which the entry stands.</param>
internal readonly record struct RawTensor(TensorInfo Info, int Position)
{
    /// <summary>The first of the two <c>data_offsets</c>.</summary>
    public ulong Begin => (ulong)Info.Begin;

    /// <summary>The second.</summary>
    public ulong End => (ulong)Info.End;

    public static RawTensor Of(string name, DType dtype, TensorShape shape, ulong begin, ulong end, int position) =>
        new(new TensorInfo(name, dtype, shape, unchecked((long)begin), unchecked((long)end)), position);
}
