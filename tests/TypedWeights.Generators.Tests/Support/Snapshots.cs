using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using TypedWeights.Snapshots;

namespace TypedWeights.Generators.Tests;

/// <summary>Snapshots of headers, as the tool would take them.</summary>
internal static class Snapshots
{
    public const string Source = "weights.safetensors";

    private static readonly string NoDigest = new('0', 64);

    /// <summary>The header of a safetensors file.</summary>
    public static byte[] HeaderOf(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        return bytes[8..(8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes))];
    }

    public static string Text(WeightSnapshot snapshot) => Encoding.UTF8.GetString(SnapshotWriter.Write(snapshot));

    public static WeightSnapshot Of(byte[] header, string className = "Model", string source = Source)
    {
        using JsonDocument document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 127 });
        var metadata = new List<KeyValuePair<string, string>>();
        var tensors = new List<SnapshotTensor>();
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                metadata.AddRange(property.Value.EnumerateObject().Select(pair => KeyValuePair.Create(pair.Name, pair.Value.GetString()!)));
                continue;
            }

            Assert.True(DTypes.TryParse(property.Value.GetProperty("dtype").GetString()!, out DType dtype));
            ulong[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetUInt64())];
            JsonElement offsets = property.Value.GetProperty("data_offsets");
            tensors.Add(new SnapshotTensor(
                property.Name, dtype, new TensorShape(shape), 0, offsets[0].GetInt64(), offsets[1].GetInt64(), null));
        }

        long data = tensors.Count == 0 ? 0 : tensors.Max(tensor => tensor.End);
        var file = new SnapshotFile("model.safetensors", 8 + header.Length + data, null, header.Length, NoDigest, metadata);
        return new WeightSnapshot(className, source, null, [file], tensors);
    }

    /// <summary>A snapshot of tensors laid out one after the other.</summary>
    public static WeightSnapshot Of(params (string Name, string DType, ulong[] Shape)[] tensors) => Of(Header(tensors));

    /// <summary>A header of tensors laid out one after the other.</summary>
    public static byte[] Header(
        IEnumerable<(string Name, string DType, ulong[] Shape)> tensors, params (string Key, string Value)[] metadata)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            if (metadata.Length > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach ((string name, string dtypeName, ulong[] shape) in tensors)
            {
                Assert.True(DTypes.TryParse(dtypeName, out DType dtype));
                long bits = shape.Aggregate((long)dtype.BitSize(), (product, dimension) => product * (long)dimension);
                json.WriteStartObject(name);
                json.WriteString("dtype", dtypeName);
                json.WriteStartArray("shape");
                Array.ForEach(shape, json.WriteNumberValue);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += bits / 8);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
