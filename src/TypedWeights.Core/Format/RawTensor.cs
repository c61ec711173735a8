namespace TypedWeights.Format;

/// <summary>A tensor as its entry reads, before anything about its range has been checked.</summary>
/// <param name="Name">Any string.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape in elements.</param>
/// <param name="Begin">The first of the two <c>data_offsets</c>.</param>
/// <param name="End">The second.</param>
/// <param name="Position">The byte of the header's JSON at which the entry stands.</param>
internal readonly record struct RawTensor(string Name, DType DType, TensorShape Shape, ulong Begin, ulong End, int Position);
