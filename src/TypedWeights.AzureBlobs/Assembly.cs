using TypedWeights.Sources.AzureBlobs;

[assembly: WeightSourceProvider<AzureBlobsProvider>("az")]
