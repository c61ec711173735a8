namespace TypedWeights.Transfer.Planning;

/// <summary>Consecutive bytes of one file, read by one request.</summary>
/// <param name="File">An index into the plan's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes; the sum of the segments, gaps included.</param>
/// <param name="Segments">Where they go, in the order of the bytes. The first and the last are not gaps.</param>
internal sealed record TransferRange(int File, long Offset, long Length, IReadOnlyList<TransferSegment> Segments)
{
    /// <summary>The number of bytes that go to tensors.</summary>
    public long WantedLength => Segments.Where(static segment => !segment.IsGap).Sum(static segment => segment.Length);
}

/// <summary>The bytes of a range that belong to one tensor, or a gap, whose bytes belong to no tensor and are dropped.</summary>
/// <param name="Tensor">An index into the plan's tensors; negative for a gap.</param>
/// <param name="Offset">The first byte, counted from the tensor's own first byte; 0 for a gap.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
internal readonly record struct TransferSegment(int Tensor, long Offset, long Length)
{
    /// <summary>Whether no tensor wants these bytes: reading them costs less than another request. They need no memory of a sink.</summary>
    public bool IsGap => Tensor < 0;

    public static TransferSegment Gap(long length) => new(-1, 0, length);
}
