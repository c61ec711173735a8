using TypedWeights.Bench.Files;

namespace TypedWeights.Bench;

/// <summary>What a section is told by the process that started it.</summary>
/// <param name="Section">Its name.</param>
/// <param name="Rounds">How many rounds count.</param>
/// <param name="Folder">Where the model file and the compiled programs are; the section may write there too.</param>
/// <param name="Url">Where a server has the model file, for the sections that need one.</param>
internal sealed record Measurement(string Section, int Rounds, string Folder, string? Url)
{
    public string ModelPath => Path.Combine(Folder, ModelFile.Name);

    public string SmallModelPath => Path.Combine(Folder, ModelFile.SmallName);

    public long Length => new FileInfo(ModelPath).Length;

    public string ResultPath => Path.Combine(Folder, Section + ".json");

    public string[] Arguments() =>
    [
        "measure", Section, "--rounds", Figures.Text.Of($"{Rounds}"), "--folder", Folder, .. Url is null ? [] : new[] { "--url", Url },
    ];
}
