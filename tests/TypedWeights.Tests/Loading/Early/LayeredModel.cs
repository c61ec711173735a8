namespace TypedWeights.Tests.Loading.Early;

/// <summary>
/// A model of twelve layers, 1.6 MB, whose file is in ordinal order, so that layer 10 lies before layer 2. Its snapshot is in
/// <c>weights/</c>.
/// </summary>
[SafeTensorsModel("layered/model.safetensors")]
internal sealed partial class LayeredModel
{
    public const int LayerCount = 12;

    public static readonly IReadOnlyDictionary<string, string> Tied =
        new Dictionary<string, string> { ["model.embed_tokens.weight"] = "lm_head.weight" };

    public static IReadOnlyList<TestFile.Entry> File { get; } =
    [
        TestFile.Noise("lm_head.weight", "F32", 32, 100, 300),
        .. Enumerable.Range(0, LayerCount).OrderBy(i => $"{i}", StringComparer.Ordinal).SelectMany(i => new[]
        {
            TestFile.Noise($"model.layers.{i}.attn.weight", "F32", 32, 100, 300),
            TestFile.Noise($"model.layers.{i}.norm.weight", "F32", 32, 300),
        }),
        TestFile.Noise("model.norm.weight", "F32", 32, 300),
    ];

    /// <summary>Fails unless a tensor has the bytes of the file.</summary>
    public static void AssertIs(string name, TorchSharp.torch.Tensor tensor) => Assert.True(
        File.Single(entry => entry.Name == name).Data.AsSpan().SequenceEqual(TensorBytes.Of(tensor)), $"{name} has other bytes than the file");
}
