using TypedWeights.Errors;
using TypedWeights.Format;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Reads <c>*.weights.json</c>. As strict as the header reader, and as forgiving as an editor needs: a byte order mark, CRLF, another
/// order of the members and members of a later tool are accepted.
/// </summary>
internal static class SnapshotReader
{
    /// <summary>What is wrong with a file in another encoding, such as the UTF-16 that some editors and shells write.</summary>
    internal const string NotUtf8 = "the snapshot is not valid UTF-8; save it in that encoding, or take it again";

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
            // What the file holds may be in the message: a name with a line break would forge another error in a build's log.
            throw new SnapshotFormatException(start + e.Position, Printable.Line(e.Message));
        }
    }

    private static WeightSnapshot ReadDocument(ReadOnlySpan<byte> text)
    {
        var json = new JsonPullReader(text);
        var seen = new MemberSet("the snapshot");
        string? @class = null;
        string? source = null;
        string? revision = null;
        SnapshotIndex? index = null;
        List<SnapshotFile>? files = null;
        List<SnapshotTensor>? tensors = null;
        var positions = new List<int>();
        json.BeginObject();
        while (json.NextProperty(out string name))
        {
            int at = json.Position;
            seen.Add(name, json);
            switch (name)
            {
                case "schema":
                    string schema = json.ReadString();
                    if (schema != WeightSnapshot.Schema)
                    {
                        throw new JsonReadException(
                            at,
                            $"the schema is {Printable.Name(schema)} and this version reads \"{WeightSnapshot.Schema}\": "
                                + "update TypedWeights, or take the snapshot again");
                    }

                    break;
                case "class":
                    @class = json.ReadString();
                    break;
                case "source":
                    source = json.ReadString();
                    break;
                case "revision":
                    revision = json.TryReadNull() ? null : json.ReadString();
                    break;
                case "index":
                    index = json.TryReadNull() ? null : ReadIndex(ref json);
                    break;
                case "files":
                    files = ReadFiles(ref json);
                    break;
                case "tensors":
                    tensors = ReadTensors(ref json, positions);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        json.End();
        seen.Require(["schema", "class", "source", "files", "tensors"], 0);
        var snapshot = new WeightSnapshot(@class!, source!, revision, files!, tensors!) { Index = index };
        SnapshotCheck.Run(snapshot, positions);
        return snapshot;
    }

    private static SnapshotIndex ReadIndex(ref JsonPullReader json)
    {
        int start = json.Position;
        var seen = new MemberSet("the index");
        string name = "";
        string version = "";
        json.BeginObject();
        while (json.NextProperty(out string member))
        {
            seen.Add(member, json);
            switch (member)
            {
                case "name":
                    name = json.ReadString();
                    break;
                case "version":
                    version = json.ReadString();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        seen.Require(["name", "version"], start);
        return new SnapshotIndex(name, version);
    }

    private static List<SnapshotFile> ReadFiles(ref JsonPullReader json)
    {
        var files = new List<SnapshotFile>();
        json.BeginArray();
        while (json.NextElement())
        {
            files.Add(ReadFile(ref json));
        }

        return files;
    }

    private static SnapshotFile ReadFile(ref JsonPullReader json)
    {
        int start = json.Position;
        var seen = new MemberSet("a file");
        string name = "";
        long length = 0;
        string? validator = null;
        string? version = null;
        long headerLength = 0;
        string headerSha256 = "";
        List<KeyValuePair<string, string>> metadata = [];
        json.BeginObject();
        while (json.NextProperty(out string member))
        {
            seen.Add(member, json);
            switch (member)
            {
                case "name":
                    name = json.ReadString();
                    break;
                case "length":
                    length = ReadInt64(ref json);
                    break;
                case "validator":
                    validator = json.TryReadNull() ? null : json.ReadString();
                    break;
                case "version":
                    version = json.TryReadNull() ? null : json.ReadString();
                    break;
                case "headerLength":
                    headerLength = ReadInt64(ref json);
                    break;
                case "headerSha256":
                    headerSha256 = ReadSha256(ref json);
                    break;
                case "metadata":
                    metadata = ReadMetadata(ref json);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        seen.Require(["name", "length", "headerLength", "headerSha256"], start);
        return new SnapshotFile(name, length, validator, headerLength, headerSha256, metadata) { Version = version };
    }

    private static List<KeyValuePair<string, string>> ReadMetadata(ref JsonPullReader json)
    {
        var metadata = new List<KeyValuePair<string, string>>();
        var seen = new MemberSet("the metadata");
        json.BeginObject();
        while (json.NextProperty(out string key))
        {
            int all = seen.Add(key, json);
            metadata.Capacity = Math.Max(metadata.Capacity, all);
            metadata.Add(new KeyValuePair<string, string>(key, json.ReadString()));
        }

        return metadata;
    }

    private static List<SnapshotTensor> ReadTensors(ref JsonPullReader json, List<int> positions)
    {
        var tensors = new List<SnapshotTensor>();
        var shapes = new ShapeCache();
        json.BeginArray();
        while (json.NextElement())
        {
            positions.Add(json.Position);
            tensors.Add(ReadTensor(ref json, shapes));
        }

        return tensors;
    }

    private static SnapshotTensor ReadTensor(ref JsonPullReader json, ShapeCache shapes)
    {
        int start = json.Position;
        var seen = new MemberSet("a tensor");
        string name = "";
        DType dtype = default;
        TensorShape shape = default;
        ulong file = 0;
        long begin = 0;
        long end = 0;
        string? sha256 = null;
        json.BeginObject();
        while (json.NextProperty(out string member))
        {
            int at = json.Position;
            seen.Add(member, json);
            switch (member)
            {
                case "name":
                    name = json.ReadString();
                    break;
                case "dtype":
                    string text = json.ReadString();
                    dtype = DTypes.TryParse(text, out DType known)
                        ? known
                        : throw new JsonReadException(at, $"{Printable.Name(text)} is not a safetensors dtype");
                    break;
                case "shape":
                    shape = ShapeReader.Read(ref json, shapes);
                    break;
                case "file":
                    file = json.ReadUInt64();
                    break;
                case "begin":
                    begin = ReadInt64(ref json);
                    break;
                case "end":
                    end = ReadInt64(ref json);
                    break;
                case "sha256":
                    sha256 = ReadSha256(ref json);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        seen.Require(["name", "dtype", "shape", "file", "begin", "end"], start);
        return new SnapshotTensor(name, dtype, shape, file > int.MaxValue ? int.MaxValue : (int)file, begin, end, sha256);
    }

    private static long ReadInt64(ref JsonPullReader json)
    {
        int at = json.Position;
        ulong value = json.ReadUInt64();
        return value <= long.MaxValue ? (long)value : throw new JsonReadException(at, $"{value} is beyond 2^63-1");
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
