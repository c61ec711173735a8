namespace TypedWeights.Bench.Files;

/// <summary>
/// A file of 291 bf16 tensors laid out as Llama's are. It stays just below what <see cref="File.ReadAllBytes"/> can hold.
/// </summary>
internal static class ModelFile
{
    public const string Name = "model.safetensors";

    private const ulong Layers = 32;
    private const ulong Hidden = 1728;
    private const ulong Inner = 4352;
    private const ulong Vocabulary = 32000;

    public static Task CreateAsync(string folder) => SafeTensorsWriter.WriteAsync(Path.Combine(folder, Name), Entries());

    private static IEnumerable<SafeTensorsEntry> Entries()
    {
        yield return Noise("model.embed_tokens.weight", Vocabulary, Hidden);
        for (ulong i = 0; i < Layers; i++)
        {
            string layer = $"model.layers.{i}.";
            yield return Noise(layer + "input_layernorm.weight", Hidden);
            yield return Noise(layer + "post_attention_layernorm.weight", Hidden);
            yield return Noise(layer + "self_attn.q_proj.weight", Hidden, Hidden);
            yield return Noise(layer + "self_attn.k_proj.weight", Hidden / 4, Hidden);
            yield return Noise(layer + "self_attn.v_proj.weight", Hidden / 4, Hidden);
            yield return Noise(layer + "self_attn.o_proj.weight", Hidden, Hidden);
            yield return Noise(layer + "mlp.gate_proj.weight", Inner, Hidden);
            yield return Noise(layer + "mlp.up_proj.weight", Inner, Hidden);
            yield return Noise(layer + "mlp.down_proj.weight", Hidden, Inner);
        }

        yield return Noise("model.norm.weight", Hidden);
        yield return Noise("lm_head.weight", Vocabulary, Hidden);
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
