using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>How long a file is by what its header says, where nothing else says it.</summary>
internal static class HeaderExtent
{
    /// <param name="header">The text of the header.</param>
    /// <param name="cancellationToken">Ends the parsing.</param>
    /// <returns>The length of the file; null where the header is wrong.</returns>
    public static long? FileLength(ReadOnlySpan<byte> header, CancellationToken cancellationToken)
    {
        long dataStart = HeaderPrefix.Size + header.Length;
        if (Utf8Text.IndexOfInvalid(header) >= 0)
        {
            return null;
        }

        try
        {
            ulong end = 0;
            foreach (TensorInfo tensor in HeaderReader.Read(header, cancellationToken).Tensors)
            {
                end = Math.Max(end, (ulong)tensor.End);
            }

            return end <= (ulong)(long.MaxValue - dataStart) ? dataStart + (long)end : null;
        }
        catch (JsonReadException)
        {
            return null;
        }
    }
}
