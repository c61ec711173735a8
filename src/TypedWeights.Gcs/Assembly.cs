using TypedWeights.Sources.Gcs;
using TypedWeights.Sources.Stores;

[assembly: WeightSourceProvider<GcsProvider>("gs")]
