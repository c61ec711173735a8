using System.Security.Cryptography;
using TypedWeights.Format;
using TypedWeights.Json;

namespace TypedWeights;

/// <summary>A checked header: every rule of the format holds for it, so its tensors tile the data that follows.</summary>
internal sealed class SafeTensorsHeader
{
    internal SafeTensorsHeader(
        long headerLength, string sha256, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
    {
        HeaderLength = headerLength;
        Sha256 = sha256;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The header's length in bytes, without the eight bytes that hold it.</summary>
    public long HeaderLength { get; }

    /// <summary>The position in the file of the first byte of data.</summary>
    public long DataStart => HeaderPrefix.Size + HeaderLength;

    /// <summary>The number of bytes of data.</summary>
    public long DataLength => Tensors.Count == 0 ? 0 : Tensors[^1].End;

    /// <summary>SHA-256 of the header's bytes, padding included, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>The <c>__metadata__</c>; empty where the header has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in the order of their data: by begin, then by end.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>Checks and reads a header that is in memory.</summary>
    /// <param name="header">The header without the eight bytes of its length, padding included.</param>
    /// <param name="fileLength">The length of the whole file in bytes.</param>
    /// <param name="file">The file as messages may show it.</param>
    /// <exception cref="SafeTensorsFormatException">The header breaks a rule; the first one in the reference's order.</exception>
    public static SafeTensorsHeader Parse(ReadOnlySpan<byte> header, long fileLength, string file)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(header.Length, HeaderPrefix.Limit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(header.Length, fileLength - HeaderPrefix.Size);
        return ParseText(header, fileLength, file, CancellationToken.None);
    }

    /// <summary>Checks and reads a header whose length has been compared with its limit and with the file's length.</summary>
    internal static SafeTensorsHeader ParseText(
        ReadOnlySpan<byte> header, long fileLength, string file, CancellationToken cancellationToken)
    {
        if (Utf8Text.IndexOfInvalid(header) is >= 0 and int invalid)
        {
            throw HeaderErrors.NotUtf8(header, invalid, fileLength, file);
        }

        try
        {
            RawHeader raw = HeaderReader.Read(header, cancellationToken);
            HeaderLayout.Check(raw, header.Length, fileLength, file);
            return new SafeTensorsHeader(header.Length, Convert.ToHexStringLower(SHA256.HashData(header)), raw.Metadata, raw.Tensors);
        }
        catch (JsonReadException e)
        {
            throw HeaderErrors.NotAHeader(header, e, fileLength, file);
        }
    }
}
