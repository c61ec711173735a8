using System.Buffers.Binary;
using System.Text.Json;
using QuickStart;
using TorchSharp;
using static TorchSharp.torch;

namespace TrainStory.Training;

/// <summary>The three files that samples/QuickStart reads.</summary>
internal static class Checkpoint
{
    public static async Task SaveAsync(
        DirectoryInfo folder, Llama model, LlamaConfig config, StoryTokenizer tokenizer, CancellationToken cancellationToken)
    {
        folder.Create();
        config.Save(Path.Combine(folder.FullName, "config.json"));
        tokenizer.Save(Path.Combine(folder.FullName, "vocab.txt"));

        Dictionary<string, Tensor> tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        tensors["lm_head.weight"] = model.Head;
        tensors.Remove("model.embed_tokens.weight");
        var header = new SortedDictionary<string, object>(StringComparer.Ordinal) { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt", ["model.embed_tokens.weight"] = "lm_head.weight" } };
        using var data = new MemoryStream();
        foreach ((string name, Tensor tensor) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            byte[] bytes = tensor.detach().contiguous().bytes.ToArray();
            header[name] = new { dtype = "F32", shape = tensor.shape, data_offsets = new[] { data.Length, data.Length + bytes.Length } };
            data.Write(bytes);
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        byte[] padded = [.. json, .. Enumerable.Repeat((byte)' ', (8 - json.Length % 8) % 8)];
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded.Length);
        await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "model.safetensors"), [.. length, .. padded, .. data.ToArray()], cancellationToken);
    }
}
