using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;

[assembly: WeightSourceProvider<AzureBlobsProvider>("az")]
