using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>
/// Reads a header's JSON with the reference's verdicts and these stricter ones: a name, a field or a metadata key that the header has twice is an
/// error (in the reference the last tensor or key wins), and so is a dtype or an entry in a shape that only serde reads
/// (<c>{"U8": null}</c>, <c>["U8", [4], [0, 4]]</c>).
/// </summary>
internal static class HeaderReader
{
    private const string MetadataName = "__metadata__";

    // "lm_head.weight":{"dtype":"BF16","shape":[32000],"data_offsets":[0,64000]},
    private const int UsualEntry = 64;

    private static readonly IReadOnlyDictionary<string, string> NoMetadata = new Dictionary<string, string>(0, StringComparer.Ordinal);
    private static readonly ObjectMembers Fields = new("it", ["dtype", "shape", "data_offsets"]);

    /// <summary>Reads the entries of a header; nothing about the ranges of the tensors is checked.</summary>
    /// <param name="text">The header, valid UTF-8.</param>
    /// <param name="cancellationToken">Ends the work between two entries: one of the longest headers takes a second.</param>
    /// <exception cref="JsonReadException">The text is not a header.</exception>
    public static RawHeader Read(ReadOnlySpan<byte> text, CancellationToken cancellationToken)
    {
        var json = new JsonPullReader(text);

        // An entry is hardly ever shorter: no table grows and is copied, and none is larger than the text that it is made of.
        int expected = text.Length / UsualEntry;
        var tensors = new List<TensorInfo>(expected);
        var positions = new List<int>(expected);
        var names = new HashSet<string>(expected, StringComparer.Ordinal);
        IReadOnlyDictionary<string, string>? metadata = null;
        json.BeginObject();
        while (json.NextProperty(out string name))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int position = json.Position;
            if (!names.Add(name))
            {
                throw new JsonReadException(position, $"it lists {Printable.Name(name)} twice");
            }

            if (name == MetadataName)
            {
                metadata = ReadMetadata(ref json, cancellationToken);
                continue;
            }

            positions.Add(position);
            tensors.Add(ReadTensor(ref json, name));
        }

        json.End();
        return new RawHeader(tensors, positions, metadata ?? NoMetadata);
    }

    /// <summary>The length of the file that a header describes, where nothing else states it.</summary>
    /// <param name="header">The text of the header.</param>
    /// <param name="cancellationToken">Ends the parsing.</param>
    /// <returns>The length in bytes; null if the header is wrong.</returns>
    public static long? FileLength(ReadOnlySpan<byte> header, CancellationToken cancellationToken)
    {
        try
        {
            long dataStart = HeaderPrefix.Size + header.Length;
            ulong end = Utf8Text.IndexOfInvalid(header) >= 0
                ? ulong.MaxValue
                : Read(header, cancellationToken).Tensors.Aggregate(0UL, static (most, tensor) => Math.Max(most, (ulong)tensor.End));
            return end <= (ulong)(long.MaxValue - dataStart) ? dataStart + (long)end : null;
        }
        catch (JsonReadException)
        {
            return null;
        }
    }

    private static IReadOnlyDictionary<string, string> ReadMetadata(ref JsonPullReader json, CancellationToken cancellationToken)
    {
        if (json.TryReadNull())
        {
            return NoMetadata;
        }

        var metadata = new Dictionary<string, string>(json.CountMembers(), StringComparer.Ordinal);
        json.BeginObject();
        while (json.NextProperty(out string key))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int position = json.Position;
            if (json.Peek() != (byte)'"')
            {
                throw json.Unexpected($"a string as the value of {Printable.Name(key)} in \"{MetadataName}\"");
            }

            if (!metadata.TryAdd(key, json.ReadString()))
            {
                throw new JsonReadException(position, $"\"{MetadataName}\" has the key {Printable.Name(key)} twice");
            }
        }

        return metadata;
    }

    private static TensorInfo ReadTensor(ref JsonPullReader json, string name)
    {
        try
        {
            DType dtype = default;
            TensorShape shape = default;
            ulong begin = 0;
            ulong end = 0;
            ObjectMembers.Reading fields = Fields.Begin(ref json);
            while (fields.Next(ref json, out string field))
            {
                switch (field)
                {
                    case "dtype":
                        dtype = ReadDType(ref json);
                        break;
                    case "shape":
                        shape = TensorShape.Own(json.ReadUInt64Array());
                        break;
                    default:
                        (begin, end) = ReadOffsets(ref json);
                        break;
                }
            }

            return new TensorInfo(name, dtype, shape, unchecked((long)begin), unchecked((long)end));
        }
        catch (JsonReadException e)
        {
            throw new JsonReadException(e.Position, $"the tensor {Printable.Name(name)}: {e.Message}");
        }
    }

    private static DType ReadDType(ref JsonPullReader json)
    {
        int position = json.Position;
        string name = json.ReadString("the dtype as a string");
        if (DTypes.TryParse(name, out DType dtype))
        {
            return dtype;
        }

        string known = string.Join(", ", DTypes.All.Select(DTypes.Name));
        throw new JsonReadException(
            position,
            $"{Printable.Name(name)} is not a dtype of the format, which has {known}; a later version of TypedWeights may read it");
    }

    private static (ulong Begin, ulong End) ReadOffsets(ref JsonPullReader json)
    {
        int position = json.Position;
        return json.ReadUInt64Array() is [ulong begin, ulong end]
            ? (begin, end)
            : throw new JsonReadException(position, "\"data_offsets\" must be two numbers, begin and end");
    }
}

/// <summary>A header before anything about the tensors' ranges has been checked.</summary>
/// <param name="Tensors">The entries in their order. Their ranges are two unsigned numbers until they have been checked.</param>
/// <param name="Positions">For each entry the byte of the header's JSON at which it starts.</param>
/// <param name="Metadata">The content of <c>__metadata__</c>.</param>
internal readonly record struct RawHeader(List<TensorInfo> Tensors, List<int> Positions, IReadOnlyDictionary<string, string> Metadata);
