using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace QuickStart.Tests.Reference;

/// <summary>A safetensors file of F32 tensors, read in a few lines that owe nothing to the library.</summary>
internal static class PlainFile
{
    public static Dictionary<string, float[]> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, data - 8));
        Dictionary<string, float[]> tensors = [];
        foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            Assert.Equal("F32", entry.Value.GetProperty("dtype").GetString());
            JsonElement offsets = entry.Value.GetProperty("data_offsets");
            int begin = data + offsets[0].GetInt32(), end = data + offsets[1].GetInt32();
            tensors[entry.Name] = MemoryMarshal.Cast<byte, float>(file.AsSpan(begin..end)).ToArray();
        }

        // A tied weight is stored once; the metadata names the other place where it is used.
        foreach (JsonProperty tie in header.RootElement.GetProperty("__metadata__").EnumerateObject())
        {
            if (tensors.TryGetValue(tie.Value.GetString()!, out float[]? tensor))
            {
                tensors.TryAdd(tie.Name, tensor);
            }
        }

        return tensors;
    }
}
