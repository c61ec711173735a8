namespace TypedWeights.Format;

/// <summary>The shapes that were read last: a model of a million tensors has a few hundred, and each is kept once.</summary>
internal sealed class ShapeCache
{
    private const int Size = 256;

    private readonly TensorShape[] _recent = new TensorShape[Size];

    public TensorShape Get(ReadOnlySpan<ulong> dimensions)
    {
        ulong hash = (ulong)dimensions.Length;
        foreach (ulong dimension in dimensions)
        {
            hash = (hash ^ dimension) * 0x9E3779B97F4A7C15;
        }

        ref TensorShape recent = ref _recent[hash >> 56];
        if (!recent.Dimensions.SequenceEqual(dimensions))
        {
            recent = TensorShape.Own(dimensions.ToArray());
        }

        return recent;
    }
}
