namespace TypedWeights.Format;

/// <summary>A header as it reads, before anything about the tensors' ranges has been checked.</summary>
/// <param name="Tensors">The entries in their order. Their ranges are two unsigned numbers until they have been checked.</param>
/// <param name="Positions">For each the byte of the header's JSON at which its entry stands.</param>
/// <param name="Index">The same by their names, no two of which are the same.</param>
/// <param name="Metadata">What stands in <c>__metadata__</c>.</param>
internal readonly record struct RawHeader(
    List<TensorInfo> Tensors, List<int> Positions, TensorIndex Index, IReadOnlyDictionary<string, string> Metadata);
