using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>What all buckets of a loader share.</summary>
internal sealed record S3Access(S3Settings Settings, S3Credentials Credentials, S3Clock Clock, SdkGuard Guard);
