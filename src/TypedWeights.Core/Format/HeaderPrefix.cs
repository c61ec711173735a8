using System.Buffers.Binary;

namespace TypedWeights.Format;

/// <summary>The eight bytes before a header and the first three checks: nothing is allocated before they have passed.</summary>
internal static class HeaderPrefix
{
    /// <summary>Bytes that hold the header's length.</summary>
    public const int Size = 8;

    /// <summary>The longest header: decimal, not MiB, and itself allowed.</summary>
    public const int Limit = 100_000_000;

    /// <param name="prefix">The first bytes of the file: eight, or all of a shorter file.</param>
    /// <param name="fileLength">The file's length.</param>
    /// <param name="headerLength">The header's length when the result is null.</param>
    /// <returns>The rule that is broken, or null.</returns>
    public static SafeTensorsErrorKind? Check(ReadOnlySpan<byte> prefix, long fileLength, out int headerLength)
    {
        headerLength = 0;
        if (prefix.Length < Size)
        {
            return SafeTensorsErrorKind.HeaderTooSmall;
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > Limit)
        {
            return SafeTensorsErrorKind.HeaderTooLarge;
        }

        headerLength = (int)length;
        return headerLength > fileLength - Size ? SafeTensorsErrorKind.InvalidHeaderLength : null;
    }
}
