using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace TypedWeights.Tests;

/// <summary>Writes small safetensors files by hand, so that no test of reading leans on the project's own writer.</summary>
internal static class TestFile
{
    /// <summary>One tensor of a file.</summary>
    internal sealed record Entry(string Name, string DType, long[] Shape, byte[] Data);

    public static Entry F32(string name, long[] shape, params float[] values)
    {
        byte[] data = new byte[values.Length * 4];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(i * 4), values[i]);
        }

        return new Entry(name, "F32", shape, data);
    }

    /// <summary>A tensor of repeatable noise, different for each name.</summary>
    public static Entry Noise(string name, string dtype, int bits, params long[] shape)
    {
        long bytes = shape.Aggregate(1L, (product, dimension) => product * dimension) * bits / 8;
        byte[] data = new byte[bytes];
        new Random(name.Aggregate(17, (hash, c) => unchecked((hash * 31) + c))).NextBytes(data);
        return new Entry(name, dtype, shape, data);
    }

    /// <summary>The bytes of a file with the tensors in the given order.</summary>
    public static byte[] Bytes(IEnumerable<Entry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var json = new MemoryStream();
        using var data = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata is not null)
            {
                writer.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata)
                {
                    writer.WriteString(key, value);
                }

                writer.WriteEndObject();
            }

            foreach (Entry entry in entries)
            {
                writer.WriteStartObject(entry.Name);
                writer.WriteString("dtype", entry.DType);
                writer.WriteStartArray("shape");
                Array.ForEach(entry.Shape, writer.WriteNumberValue);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(data.Length);
                data.Write(entry.Data);
                writer.WriteNumberValue(data.Length);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json.ToArray(), .. data.ToArray()];
    }

    public static string Write(string path, IEnumerable<Entry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Bytes(entries, metadata));
        return path;
    }

    /// <summary>Writes an index and its shards into a folder.</summary>
    public static string WriteSharded(string folder, IReadOnlyDictionary<string, Entry[]> shards)
    {
        foreach ((string name, Entry[] entries) in shards)
        {
            Write(Path.Combine(folder, name), entries);
        }

        var map = shards.SelectMany(shard => shard.Value.Select(entry => (entry.Name, File: shard.Key)));
        string json = JsonSerializer.Serialize(new { weight_map = map.ToDictionary(item => item.Name, item => item.File) });
        string index = Path.Combine(folder, "model.safetensors.index.json");
        File.WriteAllText(index, json, new UTF8Encoding(false));
        return index;
    }
}
