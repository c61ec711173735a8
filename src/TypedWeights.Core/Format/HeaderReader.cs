using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>
/// A header's JSON to entries, with the reference's verdicts and these stricter ones: a name, a field or a metadata key that stands
/// twice is an error (the reference lets the last tensor or key win), and so is a dtype or an entry in a shape that only serde reads
/// (<c>{"U8": null}</c>, <c>["U8", [4], [0, 4]]</c>).
/// </summary>
internal static class HeaderReader
{
    private const string MetadataName = "__metadata__";

    // "lm_head.weight":{"dtype":"BF16","shape":[32000],"data_offsets":[0,64000]},
    private const int UsualEntry = 64;

    private static readonly IReadOnlyDictionary<string, string> NoMetadata = new Dictionary<string, string>(0, StringComparer.Ordinal);

    [Flags]
    private enum Fields
    {
        None = 0,
        DType = 1,
        Shape = 2,
        Offsets = 4,
        All = DType | Shape | Offsets,
    }

    /// <param name="text">The header, valid UTF-8.</param>
    /// <param name="cancellationToken">Ends it between two entries: one of the longest headers takes a second.</param>
    /// <exception cref="JsonReadException">The text is not a header.</exception>
    public static RawHeader Read(ReadOnlySpan<byte> text, CancellationToken cancellationToken)
    {
        var json = new JsonPullReader(text);
        // An entry is hardly ever shorter: no list that grows and is copied, and none that is larger than the text it is made of.
        int expected = text.Length / UsualEntry;
        var tensors = new List<TensorInfo>(expected);
        var positions = new List<int>(expected);
        var index = new TensorIndex(tensors);
        var shapes = new ShapeCache();
        DType dtype = DType.BF16;
        IReadOnlyDictionary<string, string>? metadata = null;
        json.BeginObject();
        while (json.NextProperty(out string name))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int position = json.Position;
            if (name == MetadataName)
            {
                metadata = metadata is null
                    ? ReadMetadata(ref json, cancellationToken)
                    : throw new JsonReadException(position, $"\"{MetadataName}\" stands twice");
                continue;
            }

            if (index.Contains(name))
            {
                throw new JsonReadException(position, $"the tensor {Printable.Name(name)} stands twice");
            }

            positions.Add(json.Position);
            index.Add(ReadTensor(ref json, name, shapes, ref dtype));
        }

        json.End();
        return new RawHeader(tensors, positions, index, metadata ?? NoMetadata);
    }

    private static IReadOnlyDictionary<string, string> ReadMetadata(ref JsonPullReader json, CancellationToken cancellationToken)
    {
        if (json.TryReadNull())
        {
            return NoMetadata;
        }

        var metadata = new Dictionary<string, string>(json.CountMembers(), StringComparer.Ordinal);
        string last = "";
        json.BeginObject();
        while (json.NextProperty(out string key))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int position = json.Position;
            if (json.Peek() != (byte)'"')
            {
                throw json.Unexpected($"a string as the value of {Printable.Name(key)} in \"{MetadataName}\"");
            }

            // Millions of ties may be to one tensor: one string for all that follow each other.
            string value = json.ReadString();
            last = value == last ? last : value;
            if (!metadata.TryAdd(key, last))
            {
                throw new JsonReadException(position, $"the key {Printable.Name(key)} stands twice in \"{MetadataName}\"");
            }
        }

        return metadata;
    }

    private static TensorInfo ReadTensor(ref JsonPullReader json, string name, ShapeCache shapes, ref DType dtype)
    {
        try
        {
            return TryReadUsual(ref json, name, shapes, ref dtype) ?? ReadEntry(ref json, name, shapes, ref dtype);
        }
        catch (JsonReadException e)
        {
            throw new JsonReadException(e.Position, $"the tensor {Printable.Name(name)}: {e.Message}");
        }
    }

    // {"dtype":"BF16","shape":[4352,1728],"data_offsets":[0,15040512]}: so the reference writes, and all that build on it. Read to the byte
    // it takes a third of the time; whatever differs in a byte is read in full.
    private static TensorInfo? TryReadUsual(ref JsonPullReader json, string name, ShapeCache shapes, ref DType dtype)
    {
        JsonPullReader usual = json;
        bool isUsual = usual.TryPass("{\"dtype\":\""u8) && usual.TryPassToQuote(out ReadOnlySpan<byte> dtypeName)
            && DTypes.TryParse(dtypeName, ref dtype)
            && usual.TryPass(",\"shape\":["u8);
        TensorShape shape = default;
        ulong end = 0;
        isUsual = isUsual && ShapeReader.TryPass(ref usual, shapes, out shape) && usual.TryPass("],\"data_offsets\":["u8);
        ulong begin = 0;
        isUsual = isUsual && usual.TryPassNumber(out begin) && usual.TryPass(","u8) && usual.TryPassNumber(out end) && usual.TryPass("]}"u8);
        if (!isUsual)
        {
            return null;
        }

        json = usual;
        return new TensorInfo(name, dtype, shape, unchecked((long)begin), unchecked((long)end));
    }

    // The dtype comes as that of the entry before, which it mostly is again.
    private static TensorInfo ReadEntry(ref JsonPullReader json, string name, ShapeCache shapes, ref DType dtype)
    {
        int start = json.Position;
        Fields seen = Fields.None;
        TensorShape shape = default;
        (ulong Begin, ulong End) range = default;
        json.BeginObject();
        while (json.NextField(out ReadOnlySpan<byte> field))
        {
            int position = json.Position;
            if (field.SequenceEqual("dtype"u8))
            {
                Once(ref seen, Fields.DType, "dtype", position);
                ReadDType(ref json, ref dtype);
            }
            else if (field.SequenceEqual("shape"u8))
            {
                Once(ref seen, Fields.Shape, "shape", position);
                shape = ShapeReader.Read(ref json, shapes);
            }
            else if (field.SequenceEqual("data_offsets"u8))
            {
                Once(ref seen, Fields.Offsets, "data_offsets", position);
                range = ReadOffsets(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        if (seen != Fields.All)
        {
            string missing = !seen.HasFlag(Fields.DType) ? "dtype" : !seen.HasFlag(Fields.Shape) ? "shape" : "data_offsets";
            throw new JsonReadException(start, $"it has no \"{missing}\"");
        }

        return new TensorInfo(name, dtype, shape, unchecked((long)range.Begin), unchecked((long)range.End));
    }

    private static void Once(ref Fields seen, Fields field, string name, int position)
    {
        if (seen.HasFlag(field))
        {
            throw new JsonReadException(position, $"{Printable.Name(name)} stands twice in it");
        }

        seen |= field;
    }

    private static void ReadDType(ref JsonPullReader json, ref DType dtype)
    {
        int position = json.Position;
        ReadOnlySpan<byte> name = json.ReadUtf8String("the dtype as a string");
        if (!DTypes.TryParse(name, ref dtype))
        {
            string known = string.Join(", ", DTypes.All.Select(DTypes.Name));
            throw new JsonReadException(
                position,
                $"{Printable.Name(Utf8Text.Decode(name))} is not a dtype of the format, which knows {known}; "
                    + "a later version of TypedWeights may know more");
        }
    }

    private static (ulong Begin, ulong End) ReadOffsets(ref JsonPullReader json)
    {
        int position = json.Position;
        int count = 0;
        ulong begin = 0;
        ulong end = 0;
        json.BeginArray();
        while (json.NextElement())
        {
            ulong value = json.ReadUInt64();
            (begin, end) = count == 0 ? (value, end) : (begin, value);
            if (++count > 2)
            {
                break;
            }
        }

        return count == 2 ? (begin, end) : throw new JsonReadException(position, "\"data_offsets\" must be two numbers, begin and end");
    }
}
