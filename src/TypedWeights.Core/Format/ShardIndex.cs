using System.Security.Cryptography;
using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>
/// A shard index (<c>model.safetensors.index.json</c>): which file holds which tensor. Only <c>weight_map</c> counts;
/// <c>metadata.total_size</c> is kept to be compared, and anything else is passed over.
/// </summary>
/// <remarks>
/// As strict as JSON is, except that a byte order mark is tolerated: text editors add one. A tensor that the index lists twice is an error,
/// and so is a second <c>weight_map</c>.
/// </remarks>
internal sealed class ShardIndex
{
    /// <summary>The longest index that is read. The longest seen has 60 MB and half a million tensors.</summary>
    public const int LengthLimit = 256 << 20;

    /// <summary>The most shards an index may name. The most seen are some hundreds.</summary>
    public const int ShardLimit = 10_000;

    private static readonly ObjectMembers Members = new("the index", ["weight_map"], "metadata");

    private ShardIndex(IReadOnlyDictionary<string, string> weightMap, IReadOnlyList<string> shards, string? totalSize)
    {
        WeightMap = weightMap;
        Shards = shards;
        TotalSize = totalSize;
    }

    /// <summary>The shard of each tensor.</summary>
    public IReadOnlyDictionary<string, string> WeightMap { get; }

    /// <summary>The checked names of the shards, each once, in ordinal order.</summary>
    public IReadOnlyList<string> Shards { get; }

    /// <summary>SHA-256 of the text in lower-case hexadecimal.</summary>
    public string Sha256 { get; private init; } = "";

    /// <summary>The text of <c>metadata.total_size</c>; null if the index does not state it.</summary>
    public string? TotalSize { get; }

    /// <summary>Reads an index.</summary>
    /// <param name="utf8">The bytes of the file.</param>
    /// <param name="file">The file as it may be shown.</param>
    /// <exception cref="SafeTensorsFormatException">The text is not an index, or it names a shard that is not safe to open.</exception>
    public static ShardIndex Read(ReadOnlySpan<byte> utf8, string file)
    {
        int start = utf8.StartsWith(Utf8Text.ByteOrderMark) ? Utf8Text.ByteOrderMark.Length : 0;
        ReadOnlySpan<byte> text = utf8[start..];
        if (Utf8Text.IndexOfInvalid(text) is >= 0 and int invalid)
        {
            throw Error(file, "it is not UTF-8; fetch it again.", start + invalid);
        }

        if (Utf8Text.IndexOfMergeConflict(text) is >= 0 and int conflict)
        {
            throw Error(file, "it holds an unresolved merge conflict; resolve it, or fetch the file again.", start + conflict);
        }

        try
        {
            return ReadDocument(utf8, start, file);
        }
        catch (JsonReadException e)
        {
            throw Error(file, e.Message + ". Fetch it again.", start + e.Position);
        }
    }

    public static SafeTensorsFormatException Error(string file, string message, long? position = null) =>
        new(SafeTensorsErrorKind.InvalidIndex, file, "this is not a usable shard index: " + message, position);

    private static ShardIndex ReadDocument(ReadOnlySpan<byte> utf8, int start, string file)
    {
        var json = new JsonPullReader(utf8[start..]);
        Dictionary<string, string>? weightMap = null;
        var shards = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string? totalSize = null;
        ObjectMembers.Reading members = Members.Begin(ref json);
        while (members.Next(ref json, out string member))
        {
            if (member == "weight_map")
            {
                weightMap = ReadWeightMap(ref json, shards, file, start);
            }
            else
            {
                totalSize = ReadTotalSize(ref json);
            }
        }

        json.End();
        return new ShardIndex(weightMap!, [.. shards.Keys], totalSize) { Sha256 = Convert.ToHexStringLower(SHA256.HashData(utf8)) };
    }

    private static Dictionary<string, string> ReadWeightMap(
        ref JsonPullReader json, SortedDictionary<string, string> shards, string file, int start)
    {
        var map = new Dictionary<string, string>(json.CountMembers(), StringComparer.Ordinal);
        json.BeginObject();
        while (json.NextProperty(out string tensor))
        {
            int position = json.Position;
            if (json.Peek() != (byte)'"')
            {
                throw json.Unexpected($"the name of the shard that holds {Printable.Name(tensor)}");
            }

            string shard = Shard(shards, json.ReadString(), file, start + position);
            if (!map.TryAdd(tensor, shard))
            {
                throw new JsonReadException(
                    position,
                    $"it lists {Printable.Name(tensor)} twice, in {Printable.Name(map[tensor])} and in {Printable.Name(shard)}");
            }
        }

        return map;
    }

    // One string for each shard, however many tensors it holds, and one check.
    private static string Shard(SortedDictionary<string, string> shards, string name, string file, int position)
    {
        if (shards.TryGetValue(name, out string? known))
        {
            return known;
        }

        if (ShardName.Refuse(name) is { } reason)
        {
            throw new SafeTensorsFormatException(
                SafeTensorsErrorKind.UnsafeShardName,
                file,
                $"the index names the shard {Printable.Name(name)}, which {reason}; a shard is a file in the index's folder or below it.",
                position);
        }

        shards.Add(name, name);
        return shards.Count <= ShardLimit ? name : throw Error(file, $"it names more than {ShardLimit} shards.", position);
    }

    // Seen as a number and as a string. Metadata that is not an object states nothing.
    private static string? ReadTotalSize(ref JsonPullReader json)
    {
        if (json.Peek() != (byte)'{')
        {
            json.Skip();
            return null;
        }

        string? totalSize = null;
        json.BeginObject();
        while (json.NextProperty(out string member))
        {
            switch (json.Peek())
            {
                case (byte)'"' when member == "total_size":
                    totalSize = json.ReadString();
                    break;
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9') when member == "total_size":
                    totalSize = json.ReadNumberText();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        return totalSize;
    }
}
