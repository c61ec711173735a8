namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A typed model with a header of a quarter of a megabyte, by hand.</summary>
internal sealed class LongModel(WeightSet weights) : IWeightModel<LongModel>
{
    private const int Count = 3000;

    public static IReadOnlyList<TestFile.Entry> Entries { get; } =
        [.. Enumerable.Range(0, Count).Select(i => TestFile.Noise($"layers.{i}.weight", "U8", 8, 16))];

    public static WeightManifest Manifest { get; } = Describe(TestFile.Bytes(Entries));

    public WeightSet Weights { get; } = weights;

    public static LongModel Bind(WeightSet weights) => new(weights);

    public void Dispose() => Weights.Dispose();

    private static WeightManifest Describe(byte[] file)
    {
        int headerLength = (int)BitConverter.ToInt64(file);
        SafeTensorsHeader header = SafeTensorsHeader.Parse(file.AsSpan(8, headerLength), file.Length, NoiseFile.Name);
        return new WeightManifest(
            NoiseFile.Name,
            revision: null,
            [new ManifestFile(NoiseFile.Name, file.Length, Validator: null, headerLength)],
            [.. header.Tensors.Select(tensor => new ManifestTensor(tensor.Name, tensor.DType, tensor.Shape, 0, tensor.Begin, tensor.End))],
            []);
    }
}
