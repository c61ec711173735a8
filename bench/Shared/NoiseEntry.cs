namespace TypedWeights.Bench;

/// <summary>Tensors that compress badly and are quick to make.</summary>
internal static class NoiseEntry
{
    /// <summary>A bf16 tensor of one random block over and over; tensors begin differently.</summary>
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
