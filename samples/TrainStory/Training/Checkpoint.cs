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

        // One tensor under two names: it is written once, and the file's metadata says so.
        Dictionary<string, Tensor> tensors = new(model.state_dict()) { ["lm_head.weight"] = model.Head };
        Dictionary<string, string> metadata = new() { ["format"] = "pt" };
        await SafeTensors.SaveAsync(Path.Combine(folder.FullName, "model.safetensors"), tensors, metadata, cancellationToken);
    }
}
