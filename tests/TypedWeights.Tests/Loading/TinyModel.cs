namespace TypedWeights.Tests.Loading;

/// <summary>A typed model small enough to write by hand: two layers that differ, a tied embedding. Its snapshot is in <c>weights/</c>.</summary>
[SafeTensorsModel("tiny/model.safetensors")]
internal sealed partial class TinyModel
{
    /// <summary>The metadata of the file that the snapshot was taken of.</summary>
    public static readonly IReadOnlyDictionary<string, string> Tied =
        new Dictionary<string, string> { ["format"] = "pt", ["model.embed_tokens.weight"] = "lm_head.weight" };

    /// <summary>The tensors of the file that the snapshot was taken of.</summary>
    public static TestFile.Entry[] Entries =>
    [
        TestFile.F32("lm_head.weight", [4, 2], 1, 2, 3, 4, 5, 6, 7, 8),
        TestFile.F32("model.layers.0.mlp.bias", [2], 9, 10),
        TestFile.Noise("model.layers.0.mlp.weight", "BF16", 16, 2, 2),
        TestFile.Noise("model.layers.1.mlp.weight", "BF16", 16, 2, 2),
        TestFile.F32("model.norm.weight", [2], 11, 12),
    ];

    /// <summary>How many times a model was bound, to see that a refused load never is.</summary>
    public static int Bound { get; private set; }

    /// <summary>What the hook saw: the tree is there when it is called.</summary>
    public string? FirstTensorWhenBound { get; private set; }

    partial void OnBound()
    {
        Bound++;
        FirstTensorWhenBound = Model.Norm.Weight.ToString();
    }
}
