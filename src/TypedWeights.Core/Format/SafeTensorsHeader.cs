using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using TypedWeights.Errors;
using TypedWeights.Format;
using TypedWeights.Json;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Streaming.Planning;

namespace TypedWeights;

/// <summary>A checked header: every rule of the format holds for it, so its tensors tile the data that follows.</summary>
public sealed class SafeTensorsHeader
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

    /// <summary>Reads and checks a file's header: eight bytes, then the header, never the payload.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="cancellationToken">Ends the reads and the parsing.</param>
    /// <exception cref="SafeTensorsFormatException">
    /// The file breaks a rule of the format; the message says what it may be instead.
    /// </exception>
    /// <exception cref="WeightSourceException">The file cannot be read.</exception>
    public static ValueTask<SafeTensorsHeader> ReadAsync(IWeightSource source, CancellationToken cancellationToken = default) =>
        ReadAsync(source, budget: null, cancellationToken);

    /// <summary>The same, where only so much memory may be used.</summary>
    /// <exception cref="MemoryLimitException">The header would take more; it was not asked for.</exception>
    internal static async ValueTask<SafeTensorsHeader> ReadAsync(
        IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return await ReadHeaderAsync(source, budget, cancellationToken).ConfigureAwait(false);
        }
        catch (SafeTensorsFormatException e) when (ForeignText.Clean(e, source) is var clean && clean != e)
        {
            throw clean;
        }
    }

    private static async ValueTask<SafeTensorsHeader> ReadHeaderAsync(
        IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        byte[] prefix = await source.ReadAsync(0, (int)Math.Min(HeaderPrefix.Size, source.Length), cancellationToken).ConfigureAwait(false);
        if (HeaderPrefix.Check(prefix, source.Length, out int headerLength) is { } broken)
        {
            byte[] start = await ReadStartAsync(source, prefix, cancellationToken).ConfigureAwait(false);
            throw HeaderErrors.Prefix(broken, start, source.Length, source.Display);
        }

        budget?.Take(source.Display, headerLength);
        try
        {
            return headerLength <= LongestKept
                ? await ReadShortAsync(source, headerLength, cancellationToken).ConfigureAwait(false)
                : await ReadLongAsync(source, headerLength, cancellationToken).ConfigureAwait(false);
        }
        catch (OutOfMemoryException e)
        {
            throw new WeightsException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{source.Display}: the system has no memory for its header of {headerLength:N0} bytes, which takes up to "
                        + $"{(long)headerLength * MostMemory:N0} bytes while it is read."),
                e);
        }
    }

    private static async ValueTask<SafeTensorsHeader> ReadShortAsync(IWeightSource source, int headerLength, CancellationToken cancellationToken)
    {
        // As an array of its own, the text of a header of a thousand tensors is a large object, and some of those make the collector look
        // at everything there is.
        byte[] buffer = ArrayPool<byte>.Shared.Rent(headerLength);
        try
        {
            Memory<byte> header = buffer.AsMemory(0, headerLength);
            await source.FillAsync(HeaderPrefix.Size, header, cancellationToken).ConfigureAwait(false);
            return ParseText(header.Span, source.Length, source.Display, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Outside the managed heap, so that it is gone when it has been read, and so without being kept for its digest.
    private static async ValueTask<SafeTensorsHeader> ReadLongAsync(IWeightSource source, int headerLength, CancellationToken cancellationToken)
    {
        using var region = HeapRegion.Allocate(headerLength);
        Memory<byte> header = new NativeMemoryManager(region.Address, headerLength).Memory;
        await source.FillAsync(HeaderPrefix.Size, header, cancellationToken).ConfigureAwait(false);
        return ParseText(header.Span, source.Length, source.Display, cancellationToken);
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

    private static SafeTensorsHeader ParseText(
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

    // For the message alone: where this read fails, what is known already is the better error.
    private static async ValueTask<byte[]> ReadStartAsync(IWeightSource source, byte[] prefix, CancellationToken cancellationToken)
    {
        try
        {
            int wanted = (int)Math.Min(FileSniffer.Wanted, source.Length);
            return await source.ReadAsync(0, wanted, cancellationToken).ConfigureAwait(false);
        }
        catch (WeightSourceException)
        {
            return prefix;
        }
    }
}
