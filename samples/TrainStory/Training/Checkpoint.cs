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

        // state_dict() would add every module a second time, under the name of its C# field.
        Dictionary<string, Tensor> tensors = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);

        // One tensor has two names: it is written once, and the metadata of the file records the second name.
        tensors["lm_head.weight"] = model.Head;
        Dictionary<string, string> metadata = new() { ["format"] = "pt" };
        await SafeTensors.SaveAsync(Path.Combine(folder.FullName, "model.safetensors"), tensors, metadata, cancellationToken);
    }
}
