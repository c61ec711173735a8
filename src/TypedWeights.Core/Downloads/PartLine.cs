using System.Buffers.Text;
using System.Globalization;
using System.Text.Unicode;

namespace TypedWeights.Downloads;

/// <summary>A journal's line about a part: <c>{"offset":…,"length":…,"xxh128":"…"}</c>, the hash as 32 hexadecimal digits.</summary>
internal static class PartLine
{
    /// <summary>A buffer of this length has room for any line and its line break.</summary>
    public const int LongestLine = 160;

    private const int HashDigits = 32;

    private static ReadOnlySpan<byte> BeforeOffset => "{\"offset\":"u8;

    private static ReadOnlySpan<byte> BeforeLength => ",\"length\":"u8;

    private static ReadOnlySpan<byte> BeforeHash => ",\"xxh128\":\""u8;

    private static ReadOnlySpan<byte> End => "\"}"u8;

    /// <summary>Writes a line with its line break.</summary>
    /// <returns>Its length.</returns>
    public static int Format(FinishedPart part, Span<byte> line)
    {
        bool fits = Utf8.TryWrite(
            line,
            CultureInfo.InvariantCulture,
            $"{{\"offset\":{part.Offset},\"length\":{part.Length},\"xxh128\":\"{part.Hash:x32}\"}}\n",
            out int length);
        System.Diagnostics.Debug.Assert(fits, "Three numbers fit any line.");
        return length;
    }

    /// <summary>Reads a line without its line break.</summary>
    /// <returns>Whether it is a line as <see cref="Format"/> writes it. A journal can have millions of others, so none is an exception.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out FinishedPart part)
    {
        bool isOurs = Take(ref line, BeforeOffset) & TakeNumber(ref line, out long offset)
            & Take(ref line, BeforeLength) & TakeNumber(ref line, out long length)
            & Take(ref line, BeforeHash);
        UInt128 hash = default;
        isOurs = isOurs && length > 0 && line.Length == HashDigits + End.Length && line.EndsWith(End)
            && UInt128.TryParse(line[..HashDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hash);
        part = isOurs ? new FinishedPart(offset, length, hash) : default;
        return isOurs;
    }

    private static bool Take(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> text)
    {
        bool isThere = line.StartsWith(text);
        line = isThere ? line[text.Length..] : [];
        return isThere;
    }

    private static bool TakeNumber(ref ReadOnlySpan<byte> line, out long number)
    {
        bool isNumber = Utf8Parser.TryParse(line, out number, out int digits) && number >= 0;
        line = line[digits..];
        return isNumber;
    }
}
