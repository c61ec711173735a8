namespace TypedWeights.Bench.Files;

/// <summary>
/// A file of 291 bf16 tensors laid out as Llama's are. It stays just below what <see cref="File.ReadAllBytes"/> can hold. A small one
/// beside it, with the same tensors, is there to be loaded until the process is warm.
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
        yield return Noise("model.embed_tokens.weight", vocabulary, hidden);
        for (ulong i = 0; i < Layers; i++)
        {
            string layer = $"model.layers.{i}.";
            yield return Noise(layer + "input_layernorm.weight", hidden);
            yield return Noise(layer + "post_attention_layernorm.weight", hidden);
            yield return Noise(layer + "self_attn.q_proj.weight", hidden, hidden);
            yield return Noise(layer + "self_attn.k_proj.weight", hidden / 4, hidden);
            yield return Noise(layer + "self_attn.v_proj.weight", hidden / 4, hidden);
            yield return Noise(layer + "self_attn.o_proj.weight", hidden, hidden);
            yield return Noise(layer + "mlp.gate_proj.weight", inner, hidden);
            yield return Noise(layer + "mlp.up_proj.weight", inner, hidden);
            yield return Noise(layer + "mlp.down_proj.weight", hidden, inner);
        }

        yield return Noise("model.norm.weight", hidden);
        yield return Noise("lm_head.weight", vocabulary, hidden);
    }

    private static SafeTensorsEntry Noise(string name, params ulong[] shape) => new(
        name,
        DType.BF16,
        new TensorShape(shape),
        async (stream, token) =>
        {
            // One random block over and over, begun elsewhere for each tensor: incompressible enough, and quick to make.
            byte[] block = new byte[1 << 20];
            new Random(name.Length + (int)shape[0]).NextBytes(block);
            for (long left = (long)shape.Aggregate(2UL, (product, dimension) => product * dimension); left > 0;)
            {
                int take = (int)Math.Min(left, block.Length);
                await stream.WriteAsync(block.AsMemory(0, take), token);
                left -= take;
            }
        });
}
