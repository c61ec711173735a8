using System.Text.Json;

namespace QuickStart;

/// <summary>The settings that the shapes of the weights do not show, with the names of Hugging Face's <c>config.json</c>.</summary>
public sealed record LlamaConfig
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
    };

    public string[] Architectures { get; init; } = ["LlamaForCausalLM"];

    public string ModelType { get; init; } = "llama";

    public required int VocabSize { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int NumHiddenLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    public required int NumKeyValueHeads { get; init; }

    /// <summary>The length of the longest text, in tokens.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    public float RmsNormEps { get; init; } = 1e-5f;

    public float RopeTheta { get; init; } = 10000;

    public string HiddenAct { get; init; } = "silu";

    public bool TieWordEmbeddings { get; init; } = true;

    public int BosTokenId { get; init; }

    public int EosTokenId { get; init; } = 1;

    public string TorchDtype { get; init; } = "float32";

    public static LlamaConfig Load(string path) => JsonSerializer.Deserialize<LlamaConfig>(File.ReadAllText(path), Json)!;

    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");
}
