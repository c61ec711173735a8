using QuickStart;
using TypedWeights;
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

        // Not state_dict(): that would add every module once more under the name of its C# field.
        Dictionary<string, Tensor> tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);

        // One tensor under two names: it is written once, and the file's metadata says so.
        tensors["lm_head.weight"] = model.Head;
        Dictionary<string, string> metadata = new() { ["format"] = "pt" };
        await SafeTensors.SaveAsync(Path.Combine(folder.FullName, "model.safetensors"), tensors, metadata, cancellationToken);
    }
}
