using TypedWeights.Sources.Gcs;

[assembly: WeightSourceProvider<GcsProvider>("gs")]
