using System.Buffers.Text;
using System.Globalization;
using System.Text.Unicode;

namespace TypedWeights.Downloads;

/// <summary>
/// Bytes that have been written, as a journal lists them: <c>{"offset":…,"length":…,"xxh128":"…"}</c>, the hash as 32 hexadecimal digits.
/// </summary>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
/// <param name="Hash">XXH128 of the bytes: XXH3 in its wide form.</param>
internal readonly record struct FinishedPart(long Offset, long Length, UInt128 Hash)
{
    /// <summary>A buffer of this length has room for any line and its line break.</summary>
    public const int LongestLine = 160;

    private const int HashDigits = 32;

    /// <summary>The byte behind the last one.</summary>
    public long End => Offset + Length;

    /// <summary>Writes the journal's line with its line break.</summary>
    /// <returns>The length of the line.</returns>
    public int Format(Span<byte> line)
    {
        bool fits = Utf8.TryWrite(
            line,
            CultureInfo.InvariantCulture,
            $"{{\"offset\":{Offset},\"length\":{Length},\"xxh128\":\"{Hash:x32}\"}}\n",
            out int length);
        System.Diagnostics.Debug.Assert(fits, "Three numbers fit any line.");
        return length;
    }

    /// <summary>Reads a line without its line break.</summary>
    /// <returns>Whether it is a line as <see cref="Format"/> writes it. A journal can have millions of others, so it does not throw.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out FinishedPart part)
    {
        UInt128 hash = default;
        bool isPart = TakeNumber(ref line, "{\"offset\":"u8, out long offset)
            & TakeNumber(ref line, ",\"length\":"u8, out long length)
            & Take(ref line, ",\"xxh128\":\""u8)
            && length > 0 && line.Length == HashDigits + 2 && line.EndsWith("\"}"u8)
            && UInt128.TryParse(line[..HashDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hash);
        part = isPart ? new FinishedPart(offset, length, hash) : default;
        return isPart;
    }

    private static bool TakeNumber(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> before, out long number)
    {
        bool isNumber = Take(ref line, before) & Utf8Parser.TryParse(line, out number, out int digits) && number >= 0;
        line = line[digits..];
        return isNumber;
    }

    private static bool Take(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> text)
    {
        bool isThere = line.StartsWith(text);
        line = isThere ? line[text.Length..] : [];
        return isThere;
    }
}
