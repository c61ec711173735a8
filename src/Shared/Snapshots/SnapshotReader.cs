using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Reads <c>*.weights.json</c>. As strict as the header reader, but accepts what editors and later tools may write: a byte order mark, CRLF,
/// another order of the members, and unknown members.
/// </summary>
internal static class SnapshotReader
{
    /// <summary>What is wrong with a file in another encoding, such as the UTF-16 that some editors and shells write.</summary>
    internal const string NotUtf8 = "the snapshot is not valid UTF-8; save it in that encoding, or take it again";

    private static readonly ObjectMembers SnapshotMembers = new(
        "the snapshot", ["schema", "class", "source", "files", "tensors"], "revision", "index");

    private static readonly ObjectMembers IndexMembers = new("the index", ["name", "version"]);
    private static readonly ObjectMembers FileMembers = new(
        "a file", ["name", "length", "headerLength", "headerSha256"], "validator", "version", "metadata");

    private static readonly ObjectMembers TensorMembers = new("a tensor", ["name", "dtype", "shape", "file", "begin", "end"], "sha256");

    /// <summary>Reads and checks a snapshot.</summary>
    /// <param name="utf8">The bytes of the file.</param>
    /// <exception cref="SnapshotFormatException">The text is not a snapshot, or contradicts itself.</exception>
    public static WeightSnapshot Read(ReadOnlySpan<byte> utf8)
    {
        int start = utf8.StartsWith(Utf8Text.ByteOrderMark) ? Utf8Text.ByteOrderMark.Length : 0;
        ReadOnlySpan<byte> text = utf8.Slice(start);
        if (Utf8Text.IndexOfInvalid(text) is >= 0 and int invalid)
        {
            throw new SnapshotFormatException(start + invalid, NotUtf8);
        }

        if (Utf8Text.IndexOfMergeConflict(text) is >= 0 and int conflict)
        {
            throw new SnapshotFormatException(start + conflict, "an unresolved merge conflict; take the snapshot again");
        }

        try
        {
            return ReadDocument(text);
        }
        catch (JsonReadException e)
        {
            // The message may repeat text of the file: a name with a line break would forge another error in a build's log.
            throw new SnapshotFormatException(start + e.Position, Printable.Line(e.Message));
        }
    }

    private static WeightSnapshot ReadDocument(ReadOnlySpan<byte> text)
    {
        var json = new JsonPullReader(text);
        string @class = "";
        string source = "";
        string? revision = null;
        SnapshotIndex? index = null;
        var files = new List<SnapshotFile>();
        var tensors = new List<SnapshotTensor>();
        var positions = new List<int>();
        ObjectMembers.Reading members = SnapshotMembers.Begin(ref json);
        while (members.Next(ref json, out string member))
        {
            switch (member)
            {
                case "schema":
                    ReadSchema(ref json);
                    break;
                case "class":
                    @class = json.ReadString();
                    break;
                case "source":
                    source = json.ReadString();
                    break;
                case "revision":
                    revision = ReadNullable(ref json);
                    break;
                case "index":
                    index = json.TryReadNull() ? null : ReadIndex(ref json);
                    break;
                case "files":
                    json.BeginArray();
                    while (json.NextElement())
                    {
                        files.Add(ReadFile(ref json));
                    }

                    break;
                default:
                    json.BeginArray();
                    while (json.NextElement())
                    {
                        positions.Add(json.Position);
                        tensors.Add(ReadTensor(ref json));
                    }

                    break;
            }
        }

        json.End();
        var snapshot = new WeightSnapshot(@class, source, revision, files, tensors) { Index = index };
        SnapshotCheck.Run(snapshot, positions);
        return snapshot;
    }

    private static void ReadSchema(ref JsonPullReader json)
    {
        int at = json.Position;
        string schema = json.ReadString();
        if (schema != WeightSnapshot.Schema)
        {
            throw new JsonReadException(
                at,
                $"the schema is {Printable.Name(schema)} and this version reads \"{WeightSnapshot.Schema}\": "
                    + "update TypedWeights, or take the snapshot again");
        }
    }

    private static SnapshotIndex ReadIndex(ref JsonPullReader json)
    {
        string name = "";
        string version = "";
        ObjectMembers.Reading members = IndexMembers.Begin(ref json);
        while (members.Next(ref json, out string member))
        {
            (name, version) = member == "name" ? (json.ReadString(), version) : (name, json.ReadString());
        }

        return new SnapshotIndex(name, version);
    }

    private static SnapshotFile ReadFile(ref JsonPullReader json)
    {
        var file = new SnapshotFile("", 0, null, 0, "", []);
        ObjectMembers.Reading members = FileMembers.Begin(ref json);
        while (members.Next(ref json, out string member))
        {
            file = member switch
            {
                "name" => file with { Name = json.ReadString() },
                "length" => file with { Length = ReadInt64(ref json) },
                "validator" => file with { Validator = ReadNullable(ref json) },
                "version" => file with { Version = ReadNullable(ref json) },
                "headerLength" => file with { HeaderLength = ReadInt64(ref json) },
                "headerSha256" => file with { HeaderSha256 = ReadSha256(ref json) },
                _ => file with { Metadata = ReadMetadata(ref json) },
            };
        }

        return file;
    }

    // In ordinal order of the keys, where a key that comes twice is next to itself.
    private static List<KeyValuePair<string, string>> ReadMetadata(ref JsonPullReader json)
    {
        int start = json.Position;
        var metadata = new List<KeyValuePair<string, string>>(json.CountMembers());
        json.BeginObject();
        while (json.NextProperty(out string key))
        {
            metadata.Add(new KeyValuePair<string, string>(key, json.ReadString()));
        }

        metadata.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        for (int i = 1; i < metadata.Count; i++)
        {
            if (metadata[i].Key == metadata[i - 1].Key)
            {
                throw new JsonReadException(start, $"the metadata has {Printable.Name(metadata[i].Key)} twice");
            }
        }

        return metadata;
    }

    private static SnapshotTensor ReadTensor(ref JsonPullReader json)
    {
        var tensor = new SnapshotTensor("", default, default, 0, 0, 0, null);
        ObjectMembers.Reading members = TensorMembers.Begin(ref json);
        while (members.Next(ref json, out string member))
        {
            tensor = member switch
            {
                "name" => tensor with { Name = json.ReadString() },
                "dtype" => tensor with { DType = ReadDType(ref json) },
                "shape" => tensor with { Shape = TensorShape.Own(json.ReadUInt64Array()) },
                "file" => tensor with { File = (int)Math.Min(int.MaxValue, json.ReadUInt64()) },
                "begin" => tensor with { Begin = ReadInt64(ref json) },
                "end" => tensor with { End = ReadInt64(ref json) },
                _ => tensor with { Sha256 = ReadSha256(ref json) },
            };
        }

        return tensor;
    }

    private static string? ReadNullable(ref JsonPullReader json) => json.TryReadNull() ? null : json.ReadString();

    private static DType ReadDType(ref JsonPullReader json)
    {
        int at = json.Position;
        string name = json.ReadString();
        return DTypes.TryParse(name, out DType dtype)
            ? dtype
            : throw new JsonReadException(at, $"{Printable.Name(name)} is not a safetensors dtype");
    }

    private static long ReadInt64(ref JsonPullReader json)
    {
        int at = json.Position;
        ulong value = json.ReadUInt64();
        return value <= long.MaxValue ? (long)value : throw new JsonReadException(at, $"expected a number up to 2^63-1, found {value}");
    }

    private static string ReadSha256(ref JsonPullReader json)
    {
        int at = json.Position;
        string text = json.ReadString();
        return text.Length == 64 && text.All(static c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'))
            ? text
            : throw new JsonReadException(at, "expected a SHA-256 of 64 lower-case hexadecimal digits");
    }
}
