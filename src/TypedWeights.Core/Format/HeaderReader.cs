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

    /// <exception cref="JsonReadException">The text, which is valid UTF-8, is not a header.</exception>
    public static List<RawTensor> Read(ReadOnlySpan<byte> text, out IReadOnlyDictionary<string, string> metadata)
    {
        var json = new JsonPullReader(text);
        var tensors = new List<RawTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, string>? found = null;
        json.BeginObject();
        while (json.NextProperty(out string name))
        {
            int position = json.Position;
            if (name == MetadataName)
            {
                found = found is null ? ReadMetadata(ref json) : throw new JsonReadException(position, $"\"{MetadataName}\" stands twice");
            }
            else if (names.Add(name))
            {
                tensors.Add(ReadTensor(ref json, name));
            }
            else
            {
                throw new JsonReadException(position, $"the tensor {Printable.Name(name)} stands twice");
            }
        }

        json.End();
        metadata = found ?? NoMetadata;
        return tensors;
    }

    private static IReadOnlyDictionary<string, string> ReadMetadata(ref JsonPullReader json)
    {
        if (json.TryReadNull())
        {
            return NoMetadata;
        }

        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        json.BeginObject();
        while (json.NextProperty(out string key))
        {
            int position = json.Position;
            if (json.Peek() != (byte)'"')
            {
                throw json.Unexpected($"a string as the value of {Printable.Name(key)} in \"{MetadataName}\"");
            }

            if (!metadata.TryAdd(key, json.ReadString()))
            {
                throw new JsonReadException(position, $"the key {Printable.Name(key)} stands twice in \"{MetadataName}\"");
            }
        }

        return metadata;
    }

    private static RawTensor ReadTensor(ref JsonPullReader json, string name)
    {
        try
        {
            return ReadEntry(ref json, name);
        }
        catch (JsonReadException e)
        {
            throw new JsonReadException(e.Position, $"the tensor {Printable.Name(name)}: {e.Message}");
        }
    }

    private static RawTensor ReadEntry(ref JsonPullReader json, string name)
    {
        int start = json.Position;
        Fields seen = Fields.None;
        DType dtype = default;
        TensorShape shape = default;
        (ulong Begin, ulong End) range = default;
        json.BeginObject();
        while (json.NextProperty(out string field))
        {
            int position = json.Position;
            switch (field)
            {
                case "dtype":
                    Once(ref seen, Fields.DType, field, position);
                    dtype = ReadDType(ref json);
                    break;
                case "shape":
                    Once(ref seen, Fields.Shape, field, position);
                    shape = ShapeReader.Read(ref json);
                    break;
                case "data_offsets":
                    Once(ref seen, Fields.Offsets, field, position);
                    range = ReadOffsets(ref json);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        if (seen != Fields.All)
        {
            string missing = !seen.HasFlag(Fields.DType) ? "dtype" : !seen.HasFlag(Fields.Shape) ? "shape" : "data_offsets";
            throw new JsonReadException(start, $"it has no \"{missing}\"");
        }

        return new RawTensor(name, dtype, shape, range.Begin, range.End, start);
    }

    private static void Once(ref Fields seen, Fields field, string name, int position)
    {
        if (seen.HasFlag(field))
        {
            throw new JsonReadException(position, $"\"{name}\" stands twice in it");
        }

        seen |= field;
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
            $"{Printable.Name(name)} is not a dtype of the format, which knows {known}; a later version of TypedWeights may know more");
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
