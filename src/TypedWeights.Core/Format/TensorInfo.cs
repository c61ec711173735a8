namespace TypedWeights;

/// <summary>A tensor as a header describes it.</summary>
/// <param name="Name">Any string; names are compared ordinally, never normalised.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape in elements (for <c>F4</c> and <c>F6</c> too), outermost dimension first.</param>
/// <param name="Begin">The first byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last, counted likewise.</param>
internal sealed record TensorInfo(string Name, DType DType, TensorShape Shape, long Begin, long End)
{
    /// <summary>The number of bytes of the tensor.</summary>
    public long ByteLength => End - Begin;
}
