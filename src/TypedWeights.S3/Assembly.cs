using TypedWeights.Sources.S3;

[assembly: WeightSourceProvider<S3SourceProvider>("s3")]
