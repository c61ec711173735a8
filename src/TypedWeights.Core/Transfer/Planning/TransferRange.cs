namespace TypedWeights.Transfer.Planning;

/// <summary>Neighbouring bytes of one file, read at one go.</summary>
/// <param name="File">An index into the plan's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes; the sum of the segments, gaps included.</param>
/// <param name="Segments">Where they go, in the order of the bytes. The first and the last are no gaps.</param>
internal sealed record TransferRange(int File, long Offset, long Length, IReadOnlyList<TransferSegment> Segments)
{
    /// <summary>The bytes of it that go to tensors.</summary>
    public long WantedLength
    {
        get
        {
            long gaps = 0;
            for (int i = 0; i < Segments.Count; i++)
            {
                gaps += Segments[i].IsGap ? Segments[i].Length : 0;
            }

            return Length - gaps;
        }
    }
}

/// <summary>A part of a range that belongs to one tensor, or that belongs to none and is dropped.</summary>
/// <param name="Tensor">An index into the plan's tensors; negative for a gap.</param>
/// <param name="Offset">The first byte, counted from the tensor's own first byte; 0 for a gap.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
internal readonly record struct TransferSegment(int Tensor, long Offset, long Length)
{
    /// <summary>Whether nobody wants these bytes: reading them costs less than another request. No sink is asked for their memory.</summary>
    public bool IsGap => Tensor < 0;

    public static TransferSegment Gap(long length) => new(-1, 0, length);
}
