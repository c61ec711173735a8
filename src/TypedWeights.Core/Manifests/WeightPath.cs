namespace TypedWeights;

/// <summary>A tensor's place in a model without the tensor: what <c>X.Paths</c> is made of.</summary>
/// <param name="Name">The name in the header.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape, counted in elements.</param>
public readonly record struct WeightPath(string Name, DType DType, TensorShape Shape)
{
    /// <summary>The name in the header.</summary>
    public override string ToString() => Name;
}
