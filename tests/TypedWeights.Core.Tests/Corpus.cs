using System.Text.Json;

namespace TypedWeights.Tests;

/// <summary>The files under tests/Corpus and what cases.json says of them.</summary>
internal static class Corpus
{
    private static readonly JsonSerializerOptions Options =
        new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static IReadOnlyList<FileCase> Files { get; } = Load<FileCase>("cases.json");

    public static IReadOnlyList<ShardedCase> Sharded { get; } = Load<ShardedCase>(Path.Combine("sharded", "cases.json"));

    private static T[] Load<T>(string path)
    {
        using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllBytes(Path.Combine(Root, path)));
        return document.RootElement.GetProperty("cases").Deserialize<T[]>(Options)!;
    }
}

public sealed record FileCase(
    string File,
    string Verdict,
    string Recommended,
    string? ReferenceError,
    string Reason,
    long FileBytes,
    string FileSha256,
    ulong? HeaderLen,
    Dictionary<string, string>? Metadata,
    TensorCase[]? Tensors);

public sealed record TensorCase(string Name, string Dtype, ulong[] Shape, long Begin, long End, string Sha256);

public sealed record ShardedCase(string Case, string Index, string Verdict, string Category, string Reason, string[] Files);
