using System.Security.Cryptography;
using TypedWeights.Format;
using TypedWeights.Json;

namespace TypedWeights;

/// <summary>A checked header: every rule of the format holds for it, so its tensors tile the data that follows.</summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>The most memory that a header takes while it is read, for each of its bytes, whatever is in it.</summary>
    internal const int MostMemory = 10;

    /// <summary>A longer text is not kept: computing its digest at once takes less than reading it did.</summary>
    internal const int LongestKept = 1 << 20;

    private readonly KeptBytes? _text;
    private TensorIndex? _index;
    private string? _sha256;

    internal SafeTensorsHeader(
        long headerLength, string sha256, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
        : this(headerLength, text: null, metadata, tensors)
    {
        _sha256 = sha256;
    }

    private SafeTensorsHeader(
        long headerLength, KeptBytes? text, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
    {
        _text = text;
        HeaderLength = headerLength;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The header's length in bytes, without the eight bytes that hold it.</summary>
    public long HeaderLength { get; }

    /// <summary>The position in the file of the first byte of data.</summary>
    public long DataStart => 8 + HeaderLength;

    /// <summary>The number of bytes of data.</summary>
    public long DataLength => Tensors.Count == 0 ? 0 : Tensors[^1].End;

    /// <summary>SHA-256 of the header's bytes, padding included, in lower-case hexadecimal.</summary>
    /// <remarks>Computed when it is first asked for, as a load never asks; of a header of more than a mebibyte, when it is read.</remarks>
    public string Sha256 => _sha256 ??= _text!.Sha256();

    /// <summary>The <c>__metadata__</c>; empty where the header has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in the order of their data: by begin, then by end.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The same by their names.</summary>
    internal TensorIndex ByName => _index ??= IndexOf(Tensors);

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

    private static TensorIndex IndexOf(IReadOnlyList<TensorInfo> tensors)
    {
        var index = new TensorIndex(new List<TensorInfo>(tensors.Count));
        foreach (TensorInfo tensor in tensors)
        {
            index.Add(tensor);
        }

        return index;
    }

    /// <summary>The same for the reader, which has compared the lengths.</summary>
    internal static SafeTensorsHeader ParseText(
        ReadOnlySpan<byte> header, long fileLength, string file, CancellationToken cancellationToken)
    {
        if (Utf8Text.IndexOfInvalid(header) is >= 0 and int invalid)
        {
            throw HeaderErrors.NotUtf8(header, invalid, fileLength, file);
        }

        RawHeader raw;
        try
        {
            raw = HeaderReader.Read(header, cancellationToken);
        }
        catch (JsonReadException e)
        {
            throw HeaderErrors.NotAHeader(header, e, fileLength, file);
        }

        IReadOnlyList<TensorInfo> tensors = HeaderLayout.Check(raw, header.Length, fileLength, file);
        bool isKept = header.Length <= LongestKept;
        return new SafeTensorsHeader(header.Length, isKept ? new KeptBytes(header) : null, raw.Metadata, tensors)
        {
            _index = raw.Index,
            _sha256 = isKept ? null : Convert.ToHexStringLower(SHA256.HashData(header)),
        };
    }
}
