// Deleted when the manifest reader lands.
#pragma warning disable CA1725, CA1812, CS1591, CA1819, CA1822, CA1801, CA1052
namespace TypedWeights { public readonly record struct WeightPath(string Name, DType DType, TensorShape Shape);
public sealed class WeightList<T> {} public sealed class SparseWeightList<T> {} }
namespace TypedWeights.Manifests { public sealed class WeightManifest { public string Source => ""; public IReadOnlyList<WeightPath> Paths => []; public IReadOnlyDictionary<string,string> Ties => new Dictionary<string,string>(); public string? Revision => null; } }
