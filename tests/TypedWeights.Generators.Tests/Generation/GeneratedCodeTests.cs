using TypedWeights.Tests;

namespace TypedWeights.Generators.Tests.Generation;

public class GeneratedCodeTests
{
    [Fact]
    public void A_llama_becomes_layers_that_share_their_classes()
    {
        var tensors = new List<(string, string, ulong[])> { ("lm_head.weight", "BF16", [320, 64]), ("model.norm.weight", "BF16", [64]) };
        for (int layer = 0; layer < 12; layer++)
        {
            string at = $"model.layers.{layer}.";
            tensors.AddRange(
            [
                (at + "input_layernorm.weight", "BF16", [64]),
                (at + "post_attention_layernorm.weight", "BF16", [64]),
                (at + "self_attn.q_proj.weight", "BF16", [64, 64]),
                (at + "self_attn.o_proj.weight", "BF16", [64, 64]),
                (at + "self_attn.k_proj.weight", "BF16", [16, 64]),
                (at + "self_attn.v_proj.weight", "BF16", [16, 64]),
                (at + "mlp.gate_proj.weight", "BF16", [224, 64]),
                (at + "mlp.up_proj.weight", "BF16", [224, 64]),
                (at + "mlp.down_proj.weight", "BF16", [64, 224]),
            ]);
        }

        byte[] header = Snapshots.Header(tensors, ("format", "pt"), ("model.embed_tokens.weight", "lm_head.weight"));
        GeneratedProject project = Project.Generate(Snapshots.Text(Snapshots.Of(header)));
        Verified.Verify(project.Source, "cs");
    }
}
