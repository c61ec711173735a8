using TypedWeights.Sources.S3;
using TypedWeights.Sources.Stores;

[assembly: WeightSourceProvider<S3Provider>("s3")]
