using CsCheck;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Snapshots;

public sealed class SnapshotClassNameTests
{
    [Theory]
    [InlineData("hf://mistralai/Mistral-7B-v0.1", "Mistral7B")]
    [InlineData("hf://mistralai/Mistral-7B-Instruct-v0.2", "Mistral7BInstruct")]
    [InlineData("hf://meta-llama/Llama-3.1-8B", "Llama3_1_8B")]
    [InlineData("hf://gpt2@main", "Gpt2")]
    [InlineData("hf://org/repo@abc/model.safetensors", "Repo")]
    [InlineData("hf://org/repo/vae/diffusion_pytorch_model.safetensors", "Vae")]
    [InlineData("hf://deepseek-ai/DeepSeek-V3", "DeepSeekV3")]
    [InlineData("https://huggingface.co/mistralai/Mistral-7B-v0.1/resolve/main/model.safetensors.index.json", "Mistral7B")]
    [InlineData("https://huggingface.co/org/name/resolve/main/adapter_model.safetensors", "Name")]
    [InlineData("http://127.0.0.1:5000/model.safetensors", "Model")]
    [InlineData("http://127.0.0.1:5000/", "Model")]
    [InlineData("http://user:secret@host/tiny.safetensors?sig=secret", "Tiny")]
    [InlineData("http://host/models/story/", "Story")]
    [InlineData("models/story/model.safetensors", "Story")]
    [InlineData("models/story/model-00001-of-00002.safetensors", "Story")]
    [InlineData("models\\story.safetensors", "Story")]
    [InlineData("../bert-base-uncased.safetensors", "BertBaseUncased")]
    [InlineData("model.safetensors", "Model")]
    [InlineData(".", "Model")]
    [InlineData("/home/me/.cache/huggingface/hub/models--openai-community--gpt2/snapshots/607a30d/model.safetensors", "Gpt2")]
    [InlineData("file:///data/Mistral-7B-v0.1/model.safetensors", "Mistral7B")]
    [InlineData("01-ai.safetensors", "Model01Ai")]
    [InlineData("int.safetensors", "Int")]
    [InlineData("größe重み.safetensors", "Größe重み")]
    [InlineData("---.safetensors", "Model")]
    public void The_class_name_follows_the_documented_rule(string uri, string expected) =>
        Assert.Equal(expected, SnapshotClassName.For(WeightUri.Parse(uri)));

    [Fact]
    public void Every_path_gives_a_class_name_that_is_a_valid_identifier() =>
        Gen.String.Where(text => !string.IsNullOrWhiteSpace(text) && !text.Contains('\0')).Sample(text =>
        {
            if (WeightUri.TryParse("folder/" + text, out WeightUri? uri, out _))
            {
                Assert.True(SnapshotClassName.IsValid(SnapshotClassName.For(uri!)), text);
            }
        });

    [Theory]
    [InlineData("Mistral7B", true)]
    [InlineData("_x", true)]
    [InlineData("Größe", true)]
    [InlineData("", false)]
    [InlineData("7B", false)]
    [InlineData("class", false)]
    [InlineData("A.B", false)]
    [InlineData("a b", false)]
    [InlineData("A-B", false)]
    public void A_class_name_from_the_user_must_be_an_identifier(string name, bool valid) => Assert.Equal(valid, SnapshotClassName.IsValid(name));
}
