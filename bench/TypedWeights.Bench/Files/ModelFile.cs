namespace TypedWeights.Bench.Files;

/// <summary>
/// A file of 291 bf16 tensors with the layout of Llama. Its length is just below the limit of <see cref="File.ReadAllBytes"/>. A small file
/// beside it has tensors with the same names; it is loaded until the process is warm.
/// </summary>
internal static class ModelFile
{
    public const string Name = "model.safetensors";
    public const string SmallName = "small.safetensors";

    private const ulong Layers = 32;
    private const ulong Smaller = 16;

    public static async Task CreateAsync(string folder)
    {
        await SafeTensorsWriter.WriteAsync(Path.Combine(folder, Name), Entries(1));
        await SafeTensorsWriter.WriteAsync(Path.Combine(folder, SmallName), Entries(Smaller));
    }

    private static IEnumerable<SafeTensorsEntry> Entries(ulong smaller)
    {
        ulong hidden = 1728 / smaller;
        ulong inner = 4352 / smaller;
        ulong vocabulary = 32000 / smaller;
        yield return NoiseEntry.Of("model.embed_tokens.weight", vocabulary, hidden);
        for (ulong i = 0; i < Layers; i++)
        {
            string layer = $"model.layers.{i}.";
            yield return NoiseEntry.Of(layer + "input_layernorm.weight", hidden);
            yield return NoiseEntry.Of(layer + "post_attention_layernorm.weight", hidden);
            yield return NoiseEntry.Of(layer + "self_attn.q_proj.weight", hidden, hidden);
            yield return NoiseEntry.Of(layer + "self_attn.k_proj.weight", hidden / 4, hidden);
            yield return NoiseEntry.Of(layer + "self_attn.v_proj.weight", hidden / 4, hidden);
            yield return NoiseEntry.Of(layer + "self_attn.o_proj.weight", hidden, hidden);
            yield return NoiseEntry.Of(layer + "mlp.gate_proj.weight", inner, hidden);
            yield return NoiseEntry.Of(layer + "mlp.up_proj.weight", inner, hidden);
            yield return NoiseEntry.Of(layer + "mlp.down_proj.weight", hidden, inner);
        }

        yield return NoiseEntry.Of("model.norm.weight", hidden);
        yield return NoiseEntry.Of("lm_head.weight", vocabulary, hidden);
    }
}
