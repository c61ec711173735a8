namespace TypedWeights.Bench;

/// <summary>Tensors that compress badly and are created quickly.</summary>
internal static class NoiseEntry
{
    /// <summary>A bf16 tensor that repeats one random block; the block depends on the length of the name and on the shape.</summary>
    public static SafeTensorsEntry Of(string name, params ulong[] shape) => new(
        name,
        DType.BF16,
        new TensorShape(shape),
        async (stream, token) =>
        {
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
