namespace TypedWeights.Format;

/// <summary>A header as it reads, before anything about the tensors' ranges has been checked.</summary>
/// <param name="Tensors">The entries in their order.</param>
/// <param name="ByName">The same by their names, of which each stands once.</param>
/// <param name="Metadata">What stands in <c>__metadata__</c>.</param>
internal readonly record struct RawHeader(
    List<RawTensor> Tensors, Dictionary<string, TensorInfo> ByName, IReadOnlyDictionary<string, string> Metadata);
