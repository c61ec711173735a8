using System.Buffers.Binary;
using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>The errors about a whole file: often it is another kind of file, or a part of a file.</summary>
internal static class HeaderErrors
{
    /// <summary>An error of the first three checks.</summary>
    /// <param name="kind">The check that failed.</param>
    /// <param name="start">The first bytes of the file, up to <see cref="FileSniffer.Wanted"/>.</param>
    /// <param name="fileLength">The file's length in bytes.</param>
    /// <param name="file">The file as it may be shown.</param>
    public static SafeTensorsFormatException Prefix(SafeTensorsErrorKind kind, ReadOnlySpan<byte> start, long fileLength, string file)
    {
        if (FileSniffer.Describe(start, fileLength) is { } what)
        {
            return new SafeTensorsFormatException(kind, file, $"this is not a safetensors file but {what}", 0);
        }

        if (kind == SafeTensorsErrorKind.HeaderTooSmall)
        {
            return new SafeTensorsFormatException(
                kind, file, $"the file ends after {fileLength} bytes; a safetensors file starts with 8 bytes that state the length of its "
                    + "header.", 0);
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        string message = kind == SafeTensorsErrorKind.HeaderTooLarge
            ? $"its first 8 bytes state a header of {length} bytes, and the limit is {HeaderPrefix.Limit}: this is not a safetensors file."
            : $"its header should have {length} bytes, but the file has {fileLength} bytes in all: {Cut(start)}";
        return new SafeTensorsFormatException(kind, file, message, 0);
    }

    public static SafeTensorsFormatException NotUtf8(ReadOnlySpan<byte> header, int index, long fileLength, string file)
    {
        string message = Foreign(header, fileLength)
            ?? $"the header is not UTF-8: the byte 0x{header[index]:X2} is not part of a valid character. "
                + "The file is damaged, or was written incorrectly.";
        return new SafeTensorsFormatException(SafeTensorsErrorKind.InvalidHeader, file, message, HeaderPrefix.Size + index);
    }

    public static SafeTensorsFormatException NotAHeader(ReadOnlySpan<byte> header, JsonReadException error, long fileLength, string file)
    {
        string message = Foreign(header, fileLength) ?? $"the header is not valid: {error.Message}.";
        return new SafeTensorsFormatException(
            SafeTensorsErrorKind.InvalidHeaderDeserialization, file, message, HeaderPrefix.Size + error.Position);
    }

    public static SafeTensorsFormatException Incomplete(ulong dataLength, int headerLength, long fileLength, string file)
    {
        UInt128 expected = (UInt128)dataLength + HeaderPrefix.Size + (uint)headerLength;
        UInt128 found = (UInt128)fileLength;
        string message = expected > found
            ? $"its tensors end at byte {expected}, but the file has {fileLength} bytes: {expected - found} are missing. "
                + "A download was cut short, or the file was not written to its end; fetch it again."
            : $"its tensors end at byte {expected}, but the file has {fileLength} bytes: {found - expected} follow the last tensor, "
                + "which the format does not allow. Fetch or write the file again.";
        return new SafeTensorsFormatException(
            SafeTensorsErrorKind.MetadataIncompleteBuffer, file, message, expected > found ? fileLength : (long)expected);
    }

    // A header begins with '{' or white space; if it does not, the first bytes of another format may happen to be a small number.
    private static string? Foreign(ReadOnlySpan<byte> header, long fileLength)
    {
        if (header.TrimStart(" \t\r\n"u8) is [(byte)'{', ..])
        {
            return null;
        }

        Span<byte> start = stackalloc byte[Math.Min(FileSniffer.Wanted, HeaderPrefix.Size + header.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(start, (ulong)header.Length);
        header[..(start.Length - HeaderPrefix.Size)].CopyTo(start[HeaderPrefix.Size..]);
        return FileSniffer.Describe(start, fileLength) is { } what ? $"this is not a safetensors file but {what}" : null;
    }

    private static string Cut(ReadOnlySpan<byte> start) => start.Length > HeaderPrefix.Size && start[HeaderPrefix.Size] == (byte)'{'
        ? "a download that was cut short inside the header; fetch the file again."
        : "the file was cut short, or it is not a safetensors file.";
}
