using TypedWeights;
using static TorchSharp.torch;

namespace QuickStart;

// Stands where the generated class will be; removed with it.
public sealed class StoryModel(WeightSet weights) : IDisposable
{
    public sealed record Leaf(Tensor Weight);
    public sealed record Attn(Leaf QProj, Leaf KProj, Leaf VProj, Leaf OProj);
    public sealed record Ffn(Leaf GateProj, Leaf UpProj, Leaf DownProj);
    public sealed record Layer(Leaf InputLayernorm, Attn SelfAttn, Leaf PostAttentionLayernorm, Ffn Mlp);
    public sealed record Body(Leaf EmbedTokens, IReadOnlyList<Layer> Layers, Leaf Norm);

    public Body Model { get; } = new(At(weights, "model.embed_tokens"), [.. Enumerable.Range(0, 4).Select(i => $"model.layers.{i}.").Select(i => new Layer(
        At(weights, i + "input_layernorm"),
        new(At(weights, i + "self_attn.q_proj"), At(weights, i + "self_attn.k_proj"), At(weights, i + "self_attn.v_proj"), At(weights, i + "self_attn.o_proj")),
        At(weights, i + "post_attention_layernorm"),
        new(At(weights, i + "mlp.gate_proj"), At(weights, i + "mlp.up_proj"), At(weights, i + "mlp.down_proj"))))], At(weights, "model.norm"));

    public Leaf LmHead { get; } = At(weights, "lm_head");

    public static async Task<StoryModel> LoadAsync(LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        new(await WeightLoader.Default.LoadTensorsAsync("story/model.safetensors", options, progress, cancellationToken));

    public void Dispose() => weights.Dispose();

    private static Leaf At(WeightSet weights, string name) => new(weights[name + ".weight"]);
}
