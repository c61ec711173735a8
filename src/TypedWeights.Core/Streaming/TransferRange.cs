namespace TypedWeights.Streaming;

/// <summary>Neighbouring bytes of one file, read at one go.</summary>
/// <param name="File">An index into the checkpoint's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes; the sum of the segments.</param>
/// <param name="Segments">Where they go, in the order of the bytes.</param>
internal sealed record TransferRange(int File, long Offset, long Length, IReadOnlyList<TransferSegment> Segments);

/// <summary>A part of a range that belongs to one tensor.</summary>
/// <param name="Tensor">An index into the plan's tensors.</param>
/// <param name="Offset">The first byte, counted from the tensor's own first byte.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
internal readonly record struct TransferSegment(int Tensor, long Offset, long Length);
